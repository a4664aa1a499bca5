/// \file
/// How a variable starts. With `fan_in` and `fan_out` the first and second extents of a weight [in, out] (for
/// more axes, [..., in, out]: times the product of the leading ones; for one axis, its length):
///
///   zeros, ones
///   constant {value}
///   uniform {low, high}
///   normal {mean, std}
///   glorot_uniform, glorot_normal   variance 2 / (fan_in + fan_out)     (X. Glorot, Y. Bengio, 2010)
///   he_uniform, he_normal           variance 2 / fan_in                 (K. He et al., 2015)
///   lecun_uniform, lecun_normal     variance 1 / fan_in                 (Y. LeCun et al., 1998)
///   torch_linear {fan_in}           uniform within 1 / sqrt(fan_in); fan_in must be given for a bias
///   orthogonal {gain}               rows or columns (the fewer) are orthonormal times gain
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "graph/attribute.hpp"
#include "graph/type.hpp"

namespace graphrun::runtime {

/// Fills `values` (dense row-major, of `extents`). What it draws depends on the seed and the name alone.
/// Throws Error{model} for a name or an argument that there is not.
void initialize(const Initializer& initializer, std::string_view name, const Extents& extents,
                std::uint64_t seed, std::span<float> values);

}  // namespace graphrun::runtime
