/// \file
/// A text as an argument of a template: tables whose rows differ by a name alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace graphrun::onnx {

template <std::size_t size>
struct Literal {
  // From "text" itself, so that a row reads as<"Abs">.
  consteval Literal(const char (&written)[size]) { std::copy_n(written, size, text); }  // NOLINT
  constexpr std::string_view view() const { return {text, size - 1}; }
  char text[size] = {};
};

}  // namespace graphrun::onnx
