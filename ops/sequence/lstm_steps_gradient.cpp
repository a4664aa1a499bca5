#include "ops/sequence/lstm_cell.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  return infer_recurrence_gradient(context, {LstmCell::gates, LstmCell::states});
}

}  // namespace

Op lstm_steps_gradient() {
  OpDef op;
  op.name = "lstm_steps_gradient";
  op.doc = "The gradient of lstm_steps by what its gates are given, and by the start in a row more.";
  op.formula = "y[t] = dL/d(gates of step t)";
  op.infer = infer;
  return recurrence_gradient<LstmCell>(std::move(op));
}

}  // namespace graphrun::ops
