/// \file
/// Examples that are written when they are needed: made ones, or more than memory holds.
///
///     class Recordings : public graphrun::Source { … };
///     Recordings source;
///     session.fit(source, {.epochs = 5});
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "graphrun/export.hpp"
#include "graphrun/model.hpp"

namespace graphrun {

/// What a source writes for one input. u8 for an f32 input are pixels, which are divided by 255; u8 and i32
/// go to an i32 input as they are.
struct SourceInput {
  std::string name;
  ElementType type = ElementType::f32;
};

/// Where rows of one input go: dense, row-major, in the type that inputs() says.
using RowBuffer = std::variant<std::span<float>, std::span<std::int32_t>, std::span<std::uint8_t>>;

/// Written by the host. A session calls it from a thread of its own while it learns from the batch before,
/// never from two at once; the session itself must not be used from within. What it throws ends fit() after
/// the step at hand and comes out as it is.
class GRAPHRUN_API Source {
 public:
  virtual ~Source();

  /// Asked once, before anything is learnt.
  virtual std::vector<SourceInput> inputs() const = 0;

  /// How many rows an epoch has, for schedules in epochs; 0: not known. Such schedules then stand at their
  /// beginning until the first epoch is over, and a warmup counts as over.
  virtual std::int64_t rows() const { return 0; }

  /// Begins an epoch. The seed follows from the session's and the number of the epoch: a source that takes
  /// its order from it gives the same run again.
  virtual void restart(std::uint64_t seed) = 0;

  /// Writes the next rows, `rows` at most, one buffer for each of inputs(), and returns how many it wrote. 0
  /// ends the epoch. A batch is asked for until it is full.
  virtual std::int64_t next(std::span<const RowBuffer> into, std::int64_t rows) = 0;
};

}  // namespace graphrun
