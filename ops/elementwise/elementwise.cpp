#include "ops/elementwise/elementwise.hpp"

#include <fmt/format.h>

#include <utility>

namespace graphrun::ops {
namespace {

std::string joined(std::span<const Type> types) {
  std::string text;
  for (const Type& type : types) text += (text.empty() ? "" : " and ") + to_string(type.shape);
  return text;
}

/// Images that differ in height and width alone: an odd side that was halved and doubled again is another
/// one.
bool are_images_of_two_sizes(const Shape& one, const Shape& other) {
  return one.size() == 4 && other.size() == 4 && one[0] == other[0] && one[3] == other[3];
}

std::string advice(const Shape& one, const Shape& other) {
  if (!are_images_of_two_sizes(one, other))
    return "Axes align at the right; each pair must be equal, or one of them 1.";
  return fmt::format(
      "Give these images one height and width: conv_transpose2d takes `size: [{}, {}]` where its "
      "windows lie over so many pixels, resize makes images of any size.",
      to_string(other[1]), to_string(other[2]));
}

}  // namespace

Type infer_elementwise(const InferContext& context) {
  Shape shape = context.inputs.front().shape;
  for (const Type& input : context.inputs) {
    if (input.dtype != DType::f32) {
      throw OpError(fmt::format("it computes with f32, but an input is {}", to_string(input)),
                    "Convert it first: cast(y, dtype=f32), or one_hot(y, depth=…) for labels.");
    }
    if (input.shape == shape) continue;
    std::optional<Shape> both = broadcast(shape, input.shape);
    if (!both) {
      throw OpError(fmt::format("the shapes {} do not broadcast", joined(context.inputs)),
                    advice(shape, input.shape));
    }
    shape = std::move(*both);
  }
  return {DType::f32, std::move(shape)};
}

std::vector<AxisMap> elementwise_axes(const AxesContext& context) {
  std::vector<AxisMap> maps;
  for (const Type& input : context.inputs) {
    const std::size_t shift = context.output.shape.size() - input.shape.size();
    AxisMap map;
    for (std::size_t axis = 0; axis < input.shape.size(); ++axis) {
      const bool kept = input.shape[axis] == context.output.shape[axis + shift];
      map.push_back(kept ? static_cast<std::int64_t>(axis + shift) : contracted);
    }
    maps.push_back(std::move(map));
  }
  return maps;
}

BroadcastIndex::BroadcastIndex(const Extents& input, const Extents& output)
    : output_(output), strides_(output.size(), 0), same_(input == output) {
  std::size_t stride = 1;
  const std::size_t shift = output.size() - input.size();
  for (std::size_t axis = input.size(); axis-- > 0;) {
    if (input[axis] != 1) strides_[axis + shift] = stride;
    stride *= static_cast<std::size_t>(input[axis]);
  }
}

std::size_t BroadcastIndex::operator()(std::size_t output_index) const {
  if (same_) return output_index;
  std::size_t index = 0;
  for (std::size_t axis = output_.size(); axis-- > 0;) {
    const auto extent = static_cast<std::size_t>(output_[axis]);
    index += (output_index % extent) * strides_[axis];
    output_index /= extent;
  }
  return index;
}

Cost elementwise_cost(const CostContext& context) {
  const auto outputs = static_cast<double>(element_count(context.output));
  double elements = outputs;
  for (const Extents& input : context.inputs) elements += static_cast<double>(element_count(input));
  return {outputs, 4 * elements};
}

std::vector<OperandDeclaration> two_operands() {
  return {{"a", "any shape"}, {"b", "a shape that broadcasts with a's"}};
}

Op detail::describe_elementwise(ElementwiseSpec spec) {
  Op op;
  op.definition.name = std::move(spec.name);
  op.definition.doc = std::move(spec.doc);
  op.definition.formula = std::move(spec.formula);
  op.definition.shapes = spec.inputs.size() == 1 ? "[...] -> [...]" : "operands broadcast: [...] -> [...]";
  op.definition.inputs = std::move(spec.inputs);
  op.definition.attributes = std::move(spec.attributes);
  op.definition.infer = infer_elementwise;
  op.definition.axes = elementwise_axes;
  op.definition.gradient = std::move(spec.gradient);
  op.definition.cost = elementwise_cost;
  op.definition.traits.elementwise = true;
  op.definition.traits.rounds_once = spec.rounds_once;
  return op;
}

}  // namespace graphrun::ops
