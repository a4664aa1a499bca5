/// \file
/// Windows that move over images, and the attributes that say so: kernel, stride, pad and dilation are one
/// number for both axes, or a height and a width.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "graph/attribute.hpp"

namespace graphrun {

/// How windows lie along one axis: `kernel` elements that are `dilation` apart, the first of them at
/// index · stride - before.
struct WindowAxis {
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t before = 0;  ///< margin that is added to the axis
  std::int64_t after = 0;
  std::int64_t dilation = 1;

  /// From the first element of a window to its last, both included. Throws when that is no 64-bit number.
  std::int64_t reach() const;
  friend bool operator==(const WindowAxis&, const WindowAxis&) = default;
};

struct Window {
  WindowAxis vertical;
  WindowAxis horizontal;
  friend bool operator==(const Window&, const Window&) = default;
};

/// Height and width.
using Sides = std::array<std::int64_t, 2>;

/// An attribute of kind integer_or_list that is one number or two. Throws an OpError about others.
Sides sides(const Attributes& attributes, std::string_view name);

/// The window of this kernel by the attributes stride (0: the kernel's), pad (one number, height and width,
/// or top, bottom, left and right) and dilation. Throws an OpError about lists of other lengths.
Window window_of(const Sides& kernel, const Attributes& attributes);

}  // namespace graphrun
