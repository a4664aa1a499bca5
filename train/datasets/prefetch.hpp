/// \file
/// Two batches, so that the next one is gathered while the current one is learnt. Gathering is pure (noise is
/// drawn in the graph), so when and by which thread it happens changes no bit.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/execute/session.hpp"
#include "train/datasets/examples.hpp"

namespace graphrun::train {

/// Rows of examples: a list of them, which is borrowed, or some in a row.
class Rows {
 public:
  Rows() = default;
  Rows(std::span<const std::uint32_t> list)  // NOLINT(google-explicit-constructor): a list is what they are
      : count_(static_cast<std::int64_t>(list.size())), list_(list) {}
  Rows(std::int64_t first, std::int64_t count) : first_(first), count_(count) {}

  bool empty() const { return count_ == 0; }
  bool is_list() const { return !list_.empty(); }
  void into(Batch& batch) const {
    if (list_.empty())
      batch.gather(first_, count_);
    else
      batch.gather(list_);
  }

 private:
  std::int64_t first_ = 0;
  std::int64_t count_ = 0;
  std::span<const std::uint32_t> list_;
};

/// `current()` stays as it is while run() gathers the next batch on another thread; all else happens between
/// two steps.
class PrefetchedBatches final : public runtime::SideWork {
 public:
  /// As Batch: throws Error{usage}.
  PrefetchedBatches(const Examples& examples, const std::vector<std::string>& inputs, std::int64_t max_rows);

  /// Turns to other examples for the same inputs, with the buffers that there are. What was announced is
  /// forgotten. Errors as above.
  void use(const Examples& examples);
  std::int64_t max_rows() const { return batches_[0].max_rows(); }

  /// Gathers the current batch here and now.
  void gather(const Rows& rows) { rows.into(batches_[at_]); }
  const Batch& current() const { return batches_[at_]; }

  /// Which rows run() is to gather; none: it has nothing to do. A list must stay until advance(). What run()
  /// needs is allocated here.
  void announce(const Rows& rows);
  void run() noexcept override;
  /// The announced batch, if there is one, becomes the current one; it is gathered now if it was not yet.
  void advance();

 private:
  std::array<Batch, 2> batches_;
  std::size_t at_ = 0;
  Rows next_;
  bool gathered_ = false;
};

}  // namespace graphrun::train
