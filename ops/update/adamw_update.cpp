#include "ops/op.hpp"
#include "ops/update/adam_body.hpp"

namespace graphrun::ops {

Op adamw_update() {
  return update<AdamBody<true>>(adam_declaration("adamw_update",
                                                 "One step of Adam; weight decay is apart from the gradient.",
                                                 "w <- (1 - lr weight_decay) w, then as adam_update"));
}

}  // namespace graphrun::ops
