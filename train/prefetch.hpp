/// \file
/// Two batches, so that the next one is gathered while the current one is learnt. Gathering is pure (noise is
/// drawn in the graph), so when and by which thread it happens changes no bit.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/session.hpp"
#include "train/examples.hpp"

namespace graphrun::train {

/// `current()` stays as it is while run() gathers the next batch on another thread; all else happens between
/// two steps.
class PrefetchedBatches final : public runtime::SideWork {
 public:
  /// As Batch: throws Error{usage}.
  PrefetchedBatches(const Examples& examples, const std::vector<std::string>& inputs, std::int64_t max_rows);

  /// Gathers the current batch here and now.
  void gather(std::span<const std::uint32_t> rows);
  const Batch& current() const { return batches_[at_]; }

  /// Which rows run() is to gather; none: it has nothing to do. They must stay until advance().
  void announce(std::span<const std::uint32_t> rows) { next_ = rows; }
  void run() noexcept override;
  /// The announced batch, if there is one, becomes the current one; it is gathered now if it was not yet.
  void advance();

 private:
  std::array<Batch, 2> batches_;
  std::size_t at_ = 0;
  std::span<const std::uint32_t> next_;
  bool gathered_ = false;
};

}  // namespace graphrun::train
