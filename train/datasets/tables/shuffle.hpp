/// \file
/// The order in which an epoch visits its examples.
#pragma once

#include <cstdint>
#include <vector>

namespace graphrun::train {

/// A permutation of 0 … count-1 that is a function of seed, epoch and count alone (Fisher–Yates over Philox):
/// a resumed run visits the same examples in the same order. Error{usage} above 2^32 - 1 examples.
std::vector<std::uint32_t> epoch_order(std::uint64_t seed, std::uint64_t epoch, std::int64_t count);

}  // namespace graphrun::train
