/// \file
/// Numbers as text, the same in every locale: the shortest form that reads back to the same value.
#pragma once

#include <array>
#include <charconv>
#include <string>

namespace graphrun::train {

template <class Number>
std::string number_text(Number value) {
  std::array<char, 64> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end};
}

}  // namespace graphrun::train
