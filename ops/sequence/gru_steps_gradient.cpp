#include "ops/sequence/gru_cell.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  return infer_recurrence_gradient(context, {GruCell::gates, GruCell::states});
}

}  // namespace

Op gru_steps_gradient() {
  OpDef op;
  op.name = "gru_steps_gradient";
  op.doc = "The gradient of gru_steps by what its gates are given, and by the start in a row more.";
  op.formula = "y[t] = dL/d(gates of step t)";
  op.infer = infer;
  return recurrence_gradient<GruCell>(std::move(op));
}

}  // namespace graphrun::ops
