#include "ops/sequence/gru_cell.hpp"

namespace graphrun::ops {
namespace {

constexpr CellSizes sizes = {GruCell::gates, GruCell::states};

Type infer(const InferContext& context) {
  return infer_recurrence(context, sizes);
}

Gradients vjp(VjpContext& context) {
  return recurrence_vjp(context, sizes, "gru_steps_gradient");
}

}  // namespace

Op gru_steps() {
  OpDef op;
  op.name = "gru_steps";
  op.doc = "The steps of gated recurrent units, h after each; the block gru is a layer of it.";
  op.formula =
      "r, z = sigmoid of parts of p[t] + h u + b; h = (1 - z) tanh(p[t] + r (h u + b)) + z h, of the last "
      "parts";
  op.shapes = "[n, steps, 3 units], [units, 3 units], [3 units], [n, steps], [n, units] -> [n, steps, units]";
  op.infer = infer;
  op.gradient = vjp;
  return recurrence<GruCell>(std::move(op));
}

}  // namespace graphrun::ops
