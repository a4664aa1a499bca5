#include <algorithm>

#include "ops/index/indices.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  require_indices(context.inputs[0], "y");
  const std::int64_t depth = context.attributes.integer("depth");
  Shape shape = context.inputs[0].shape;
  shape.push_back(Dim::number(depth));
  return {DType::f32, shape};
}

template <class T>
void write_row(T* row, std::size_t depth, std::int64_t index) {
  const bool there = in_range(index, depth);
  std::fill_n(row, depth, there ? T{0} : static_cast<T>(out_of_range));
  if (there) row[index] = 1;
}

void reference(const ReferenceContext& context) {
  const std::vector<double>& indices = context.inputs[0]->values;
  const auto depth = static_cast<std::size_t>(context.node.attributes.integer("depth"));
  for (std::size_t i = 0; i < indices.size(); ++i) {
    write_row(context.output.values.data() + i * depth, depth, static_cast<std::int64_t>(indices[i]));
  }
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  return runtime::make_call([depth = static_cast<std::size_t>(bound.node.attributes.integer("depth")),
                             read = IndexReader(bound.input_types[0].dtype),
                             covered = CoveredElements(bound.output)](const runtime::CallArguments& a) {
    const std::size_t count = covered(a) / depth;
    for (std::size_t i = 0; i < count; ++i) {
      write_row(output_as<float>(a) + i * depth, depth, read(a.inputs[0], i));
    }
  });
}

}  // namespace

Op one_hot() {
  OpDef op;
  op.name = "one_hot";
  op.doc = "A 1 where the index says, among zeros; an index out of range gives NaN.";
  op.formula = "y[..., j] = 1 if j = index else 0";
  op.shapes = "i32 [...] -> [..., depth]";
  op.inputs = {{"y", "integers from 0 to depth - 1"}};
  op.attributes = {integer("depth", {}, at_least(1), "how many classes there are")};
  op.infer = infer;
  op.axes = same_axes;
  op.reference = reference;
  op.gradient = ZeroGradient{};
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
