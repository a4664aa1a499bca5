#include "ops/sequence/gru_cell.hpp"
#include "ops/sequence/recurrence_kernel.hpp"

namespace graphrun::ops {

Op gru_steps_gradient() {
  return recurrence_gradient<GruCell>("gru_steps");
}

}  // namespace graphrun::ops
