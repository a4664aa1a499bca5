#include "ops/sequence/lstm_cell.hpp"
#include "ops/sequence/recurrence_kernel.hpp"

namespace graphrun::ops {

Op lstm_steps_gradient() {
  return recurrence_gradient<LstmCell>("lstm_steps");
}

}  // namespace graphrun::ops
