
#include <algorithm>
#include <cstring>

#include "ops/index/indices.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  const Type& table = context.inputs[0];
  require_f32(table, "table");
  require_indices(context.inputs[1], "index");
  if (table.shape.empty()) throw OpError("table must have rows, but is a scalar", {}, "table");
  Shape shape = context.inputs[1].shape;
  shape.insert(shape.end(), table.shape.begin() + 1, table.shape.end());
  return {DType::f32, shape};
}

std::vector<AxisMap> axes(const AxesContext& context) {
  const std::size_t index_rank = context.inputs[1].shape.size();
  AxisMap table(context.inputs[0].shape.size(), contracted);
  for (std::size_t axis = 1; axis < table.size(); ++axis) {
    table[axis] = static_cast<std::int64_t>(index_rank + axis - 1);
  }
  AxisMap index(index_rank);
  for (std::size_t axis = 0; axis < index_rank; ++axis) index[axis] = static_cast<std::int64_t>(axis);
  return {table, index};
}

void reference(const ReferenceContext& context) {
  const HostTensor& table = *context.inputs[0];
  const std::size_t width = elements_per_row(table.extents);
  std::vector<double>& y = context.output.values;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const auto row = static_cast<std::int64_t>(context.inputs[1]->values[i / width]);
    const bool there = in_range(row, static_cast<std::size_t>(table.extents[0]));
    y[i] = there ? table.values[static_cast<std::size_t>(row) * width + i % width] : std::nan("");
  }
}

Gradients vjp(VjpContext& context) {
  const Shape& shape = context.builder.type(context.input(0)).shape;
  return {context.builder.add("scatter_add", {context.input(1), context.cotangent}, {{"shape", shape}}),
          std::nullopt};
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  return runtime::make_call([width = elements_per_row(bound.inputs[0]),
                             rows = static_cast<std::size_t>(bound.inputs[0][0]),
                             read = IndexReader(bound.input_types[1].dtype),
                             covered = CoveredElements(bound.output)](const runtime::CallArguments& a) {
    const float* const table = input_as<float>(a, 0);
    float* y = output_as<float>(a);
    const std::size_t count = width == 0 ? 0 : covered(a) / width;
    for (std::size_t i = 0; i < count; ++i, y += width) {
      const std::int64_t row = read(a.inputs[1], i);
      if (in_range(row, rows)) {
        std::memcpy(y, table + static_cast<std::size_t>(row) * width, width * sizeof(float));
      } else {
        std::fill_n(y, width, out_of_range);
      }
    }
  });
}

}  // namespace

Op gather() {
  OpDef op;
  op.name = "gather";
  op.doc = "Rows of a table by their indices; an index out of range gives NaN.";
  op.formula = "y[i] = table[index[i]]";
  op.shapes = "[n, ...], i32 [i, ...] -> [i, ..., ...]";
  op.inputs = {{"table", "at least one axis"}, {"index", "any shape of integers from 0 to n - 1"}};
  op.infer = infer;
  op.axes = axes;
  op.reference = reference;
  op.gradient = vjp;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
