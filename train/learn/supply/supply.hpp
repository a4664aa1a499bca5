/// \file
/// Where a loop gets its batches from: examples in memory, or a source that makes them.
#pragma once

#include <cstdint>
#include <span>

#include "runtime/execute/session.hpp"

namespace graphrun::train {

/// One batch is at hand, the next one is made ready by run(), on another thread while the one at hand is
/// learnt. All else happens between two steps.
class Supply : public runtime::SideWork {
 public:
  /// Begins an epoch, at one of its batches.
  virtual void begin(std::uint64_t seed, std::uint64_t epoch, std::uint64_t batch) = 0;
  /// Of the batch at hand, in all processes together; 0: the epoch is over.
  virtual std::int64_t rows() const = 0;
  /// Of the batch at hand, those rows that this process learns from. Valid until the next advance().
  virtual std::span<const runtime::Feed> feeds() const = 0;
  /// The next batch is at hand, whether run() came or not.
  virtual void advance() = 0;
};

}  // namespace graphrun::train
