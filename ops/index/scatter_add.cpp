#include <fmt/format.h>

#include <algorithm>

#include "ops/index/indices.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  require_indices(context.inputs[0], "index");
  require_f32(context.inputs[1], "rows");
  const Shape& shape = context.attributes.shape("shape");
  if (shape.empty()) throw OpError("the result must have rows", {}, "shape");
  Shape expected = context.inputs[0].shape;
  expected.insert(expected.end(), shape.begin() + 1, shape.end());
  if (context.inputs[1].shape != expected) {
    throw OpError(
        fmt::format("rows must be {}, but is {}", to_string(expected), to_string(context.inputs[1].shape)));
  }
  return {DType::f32, shape};
}

/// In index order.
void reference(const ReferenceContext& context) {
  const std::vector<double>& rows = context.inputs[1]->values;
  HostTensor& y = context.output;
  const std::size_t width = elements_per_row(y.extents);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = static_cast<std::int64_t>(context.inputs[0]->values[i / width]);
    if (!in_range(row, static_cast<std::size_t>(y.extents[0]))) continue;
    y.values[static_cast<std::size_t>(row) * width + i % width] += rows[i];
  }
}

Gradients vjp(VjpContext& context) {
  return {std::nullopt, context.builder.add("gather", {context.cotangent, context.input(0)})};
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  return runtime::make_call(
      [width = elements_per_row(bound.output), height = static_cast<std::size_t>(bound.output[0]),
       count = static_cast<std::size_t>(element_count(bound.inputs[0])),
       read = IndexReader(bound.input_types[0].dtype)](const runtime::CallArguments& a) {
        float* const y = output_as<float>(a);
        std::fill_n(y, height * width, 0.0F);
        const float* row = input_as<float>(a, 1);
        for (std::size_t i = 0; i < count; ++i, row += width) {
          const std::int64_t index = read(a.inputs[0], i);
          if (!in_range(index, height)) continue;
          float* const sum = y + static_cast<std::size_t>(index) * width;
          for (std::size_t j = 0; j < width; ++j) sum[j] += row[j];
        }
      });
}

}  // namespace

Op scatter_add() {
  OpDef op;
  op.name = "scatter_add";
  op.doc = "Adds rows to a table of zeros, in index order: the adjoint of gather.";
  op.formula = "y[j] = sum of rows[i] over index[i] = j";
  op.shapes = "i32 [i, ...], [i, ..., ...] -> shape";
  op.inputs = {{"index", "integers; those out of range are left out"}, {"rows", "one for each index"}};
  op.attributes = {shape_attribute({}, "the shape of the table")};
  op.infer = infer;
  op.reference = reference;
  op.gradient = vjp;
  op.traits.adds_rows = true;
  op.internal = true;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
