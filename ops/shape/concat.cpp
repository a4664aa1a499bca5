#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "ops/declaration.hpp"
#include "ops/op.hpp"
#include "ops/rows.hpp"

namespace graphrun::ops {
namespace {

std::size_t axis_of(const Attributes& attributes, const Shape& shape) {
  return resolved_axis(attributes.integer("axis"), shape);
}

void require_like_first(const Type& first, const Type& other, std::size_t axis) {
  bool alike = first.dtype == other.dtype && first.shape.size() == other.shape.size();
  for (std::size_t i = 0; alike && i < first.shape.size(); ++i) {
    alike = i == axis || first.shape[i] == other.shape[i];
  }
  if (alike) return;
  throw OpError(
      fmt::format("along axis {} it cannot join {} and {}", axis, to_string(first), to_string(other)),
      "All axes but that one must be equal, and the element types too.");
}

Type infer(const InferContext& context) {
  Type joined = context.inputs[0];
  const std::size_t axis = axis_of(context.attributes, joined.shape);
  for (const Type& input : context.inputs.subspan(1)) {
    require_like_first(context.inputs[0], input, axis);
    Dim& extent = joined.shape[axis];
    extent.factor = checked_add(extent.factor, input.shape[axis].factor);
    extent.offset = checked_add(extent.offset, input.shape[axis].offset);
  }
  return joined;
}

std::vector<AxisMap> axes(const AxesContext& context) {
  std::vector<AxisMap> maps = same_axes(context);
  const std::size_t axis = axis_of(context.attributes, context.output.shape);
  for (AxisMap& map : maps) map[axis] = contracted;
  return maps;
}

/// The output as chunks: `outer` times one chunk of each input.
struct Layout {
  Layout(const Attributes& attributes, std::span<const Extents> inputs) {
    const std::size_t axis = axis_of(attributes, Shape(inputs[0].size(), Dim::number(1)));
    along_rows = axis == 0;
    for (std::size_t i = 0; i < axis; ++i) {
      outer *= static_cast<std::size_t>(inputs[0][i]);
      if (i > 0) outer_per_row *= static_cast<std::size_t>(inputs[0][i]);
    }
    for (const Extents& input : inputs) {
      std::size_t chunk = 1;
      for (std::size_t i = axis; i < input.size(); ++i) chunk *= static_cast<std::size_t>(input[i]);
      chunks.push_back(chunk);
    }
  }
  std::vector<std::size_t> chunks;
  std::size_t outer = 1;
  std::size_t outer_per_row = 1;
  bool along_rows = false;
};

void reference(const ReferenceContext& context) {
  std::vector<Extents> extents;
  for (const HostTensor* input : context.inputs) extents.push_back(input->extents);
  const Layout layout(context.node.attributes, extents);
  auto to = context.output.values.begin();
  for (std::size_t i = 0; i < layout.outer; ++i) {
    for (std::size_t k = 0; k < context.inputs.size(); ++k) {
      const auto from = context.inputs[k]->values.begin() + static_cast<std::ptrdiff_t>(i * layout.chunks[k]);
      to = std::copy_n(from, layout.chunks[k], to);
    }
  }
}

/// Each input gets its part of the cotangent.
Gradients vjp(VjpContext& context) {
  const Node& node = context.node();
  const std::size_t axis = axis_of(node.attributes, node.type.shape);
  if (!node.type.shape[axis].is_number()) {
    throw OpError("inputs that are joined along the batch get no gradient", "Join along another axis.");
  }
  Gradients gradients;
  std::int64_t start = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const std::int64_t stop = start + context.builder.type(node.inputs[i]).shape[axis].offset;
    const Attributes part = {{"axis", static_cast<std::int64_t>(axis)}, {"start", start}, {"stop", stop}};
    gradients.push_back(context.wanted[i]
                            ? std::optional(context.builder.add("slice", {context.cotangent}, part))
                            : std::nullopt);
    start = stop;
  }
  return gradients;
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  return runtime::make_call([layout = Layout(bound.node.attributes, bound.inputs),
                             bytes = bytes_of(bound.node.type.dtype)](const runtime::CallArguments& a) {
    const std::size_t outer =
        layout.along_rows ? layout.outer : static_cast<std::size_t>(a.row_count) * layout.outer_per_row;
    std::byte* to = a.output;
    for (std::size_t i = 0; i < outer; ++i) {
      for (std::size_t k = 0; k < layout.chunks.size(); ++k) {
        const std::size_t size = layout.chunks[k] * bytes;
        std::memcpy(to, a.inputs[k] + i * size, size);
        to += size;
      }
    }
  });
}

}  // namespace

Op concat() {
  OpDef op;
  op.name = "concat";
  op.doc = "Joins tensors along an axis.";
  op.formula = "y = x0, x1, ... one after the other";
  op.shapes = "[..., a, ...], [..., b, ...] -> [..., a + b, ...]";
  op.inputs = {{"x", "the first; all others are like it but along the axis"}};
  op.variadic = true;
  op.attributes = {axis(-1, "the axis to join along")};
  op.infer = infer;
  op.axes = axes;
  op.reference = reference;
  op.gradient = vjp;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
