/// \file
/// The order of training examples.
#pragma once

#include <cstdint>
#include <vector>

namespace graphrun::train {

/// All examples in the random order of one epoch: a function of seed, epoch and count, and of how many bytes
/// an example has: of those that are too many for memory (more than most_bytes_shuffled together), stretches
/// of a megabyte are put in random order, and the examples of so many stretches as have that many bytes,
/// among each other. So a file is read in order nearly everywhere, whatever memory there is.
std::vector<std::uint32_t> epoch_order(std::uint64_t seed, std::uint64_t epoch, std::int64_t count,
                                       std::int64_t example_bytes = 0);

inline constexpr std::int64_t most_bytes_shuffled = std::int64_t{256} << 20;

}  // namespace graphrun::train
