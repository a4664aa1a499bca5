#include "graph/precision.hpp"

#include <algorithm>
#include <array>

namespace graphrun {
namespace {

constexpr std::array<std::string_view, 3> names = {"f32", "bf16", "bf16-emulated"};

}  // namespace

std::string_view to_string(Precision precision) {
  return names.at(static_cast<std::size_t>(precision));
}

std::optional<Precision> precision_named(std::string_view word) {
  const auto* const found = std::ranges::find(names, word);
  if (found == names.end()) return std::nullopt;
  return static_cast<Precision>(found - names.begin());
}

}  // namespace graphrun
