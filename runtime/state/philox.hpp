/// \file
/// Random numbers that depend on nothing but what is asked for: Philox4x32-10 (J. Salmon et al., "Parallel
/// random numbers: as easy as 1, 2, 3", 2011). A draw is a pure function of the seed, the written path of the
/// node, the domain, the step, the row and the column; so it is the same in any schedule, slice or fusion.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "graph/op.hpp"

namespace graphrun::runtime {

/// What a draw is for. Draws of different domains are independent. Values are part of the checkpoint format.
enum class RandomDomain : std::uint32_t {
  initialisation = 0,
  training = 1,
  evaluation = 2,
  shuffle = 3,
  data = 4
};

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

/// The bijection itself: ten rounds.
PhiloxCounter philox(PhiloxCounter counter, PhiloxKey key);

/// 64 bits of a name, by FNV-1a and a finaliser. The same on every machine.
std::uint64_t stable_hash(std::string_view name);

/// All draws of one node at one step.
struct RandomStream {
  PhiloxKey key{};
  std::uint32_t domain = 0;
  std::uint64_t step = 0;  ///< below 2^44

  static RandomStream of(std::string_view path, const RandomState& state);
};

/// The columns [0, columns) of each row from `first_row` (rows below 2^44) on, one row after the other, as
/// many as `values` has room for; uniform in [0, 1) with 24 bits: the f64 version gives exactly the same
/// numbers.
void fill_uniform(const RandomStream& stream, std::uint64_t first_row, std::size_t columns,
                  std::span<float> values);
void fill_uniform(const RandomStream& stream, std::uint64_t first_row, std::size_t columns,
                  std::span<double> values);

/// Standard normal by Box and Muller from the same uniform bits, at most 5.77 in size. The f32 version is
/// within 2e-6 of the f64 one, and has the same bits on every instruction set.
void fill_normal(const RandomStream& stream, std::uint64_t first_row, std::size_t columns,
                 std::span<float> values);
void fill_normal(const RandomStream& stream, std::uint64_t first_row, std::size_t columns,
                 std::span<double> values);

/// A whole number below `bound` (not 0), without bias: for shuffling.
std::uint64_t random_below(const RandomStream& stream, std::uint64_t row, std::uint64_t bound);

}  // namespace graphrun::runtime
