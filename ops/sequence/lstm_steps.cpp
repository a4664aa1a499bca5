#include "ops/sequence/lstm_cell.hpp"

namespace graphrun::ops {
namespace {

constexpr CellSizes sizes = {LstmCell::gates, LstmCell::states};

Type infer(const InferContext& context) {
  return infer_recurrence(context, sizes);
}

Gradients vjp(VjpContext& context) {
  return recurrence_vjp(context, sizes, "lstm_steps_gradient");
}

}  // namespace

Op lstm_steps() {
  OpDef op;
  op.name = "lstm_steps";
  op.doc = "The steps of long short-term memory, h and c after each; the block lstm is a layer of it.";
  op.formula =
      "i, f, v, o = parts of p[t] + h u + b; c = sigmoid(f) c + sigmoid(i) tanh(v), h = sigmoid(o) tanh(c)";
  op.shapes =
      "[n, steps, 4 units], [units, 4 units], [4 units], [n, steps], [n, 2 units] -> [n, steps, 2 units]";
  op.infer = infer;
  op.gradient = vjp;
  return recurrence<LstmCell>(std::move(op));
}

}  // namespace graphrun::ops
