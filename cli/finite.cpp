#include "cli/finite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "graphrun/error.hpp"

namespace graphrun::cli {

namespace {

/// The place of the first value that is not finite, or their number.
std::size_t first_bad(std::span<const float> values) {
  return static_cast<std::size_t>(
      std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); }) -
      values.begin());
}

}  // namespace

void require_finite(const train::Learner& learner, const std::string& source) {
  for (const Node& node : learner.model().graph.nodes()) {
    if (!node.op->traits.variable) continue;
    const std::span<const float> values = learner.variables().find(node.name)->values;
    const std::size_t bad = first_bad(values);
    if (bad < values.size())
      throw Error(
          ErrorCode::not_finite,
          fmt::format("these weights hold {} among their {} values, with which nothing can be computed",
                      values[bad], values.size()),
          {source}, node.name);
  }
}

void require_finite(const train::OutputValues& output, std::size_t first_row) {
  if (output.type.dtype != DType::f32) return;
  const std::span<const float> values = train::as_floats(output);
  const std::size_t bad = first_bad(values);
  if (bad == values.size()) return;
  const std::size_t rows = output.extents.empty() ? 1 : static_cast<std::size_t>(output.extents.front());
  throw Error(
      ErrorCode::not_finite,
      fmt::format("the output is {} in row {}", values[bad], first_row + bad / (values.size() / rows)), {},
      output.name);
}

void require_finite(const train::Figures& figures) {
  for (const train::Figure& figure : figures.values)
    if (std::isnan(figure.value) || (figure.name == "loss" && std::isinf(figure.value)))
      throw Error(ErrorCode::not_finite, fmt::format("'{}' is {}", figure.name, figure.value));
}

}  // namespace graphrun::cli
