#include "ops/reduce/along_axis.hpp"

namespace graphrun::ops {

AttributeDeclaration axis_attribute(std::string doc) {
  return axis(-1, std::move(doc));
}

std::size_t checked_axis(const InferContext& context) {
  require_f32(context.inputs[0], "x");
  return resolved_axis(context.attributes.integer("axis"), context.inputs[0].shape);
}

std::vector<AxisMap> axes_but_one(const AxesContext& context) {
  const std::size_t rank = context.inputs[0].shape.size();
  const std::size_t along = resolved_axis(context.attributes.integer("axis"), context.inputs[0].shape);
  const bool gone = context.output.shape.size() < rank;
  AxisMap map;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const auto to = static_cast<std::int64_t>(axis) - (gone && axis > along ? 1 : 0);
    map.push_back(axis == along ? contracted : to);
  }
  return {map};
}

Type infer_same_along_axis(const InferContext& context) {
  checked_axis(context);
  return context.inputs[0];
}

Cost same_along_axis_cost(const CostContext& context) {
  const auto count = static_cast<double>(element_count(context.output));
  return {10 * count, 8 * count};
}

Axes single_axis(const Attributes& attributes) {
  return {false, {attributes.integer("axis")}};
}

AxisLayout::AxisLayout(const Attributes& attributes, const Extents& input) {
  const std::size_t axis = resolved_axis(attributes.integer("axis"), Shape(input.size(), Dim::number(1)));
  along_rows = axis == 0;
  length = static_cast<std::size_t>(input[axis]);
  for (std::size_t i = 0; i < input.size(); ++i) {
    const auto extent = static_cast<std::size_t>(input[i]);
    if (i < axis) outer *= extent;
    if (i > 0 && i < axis) outer_per_row *= extent;
    if (i > axis) inner *= extent;
  }
}

}  // namespace graphrun::ops
