#include "ops/op.hpp"
#include "ops/update/adam_body.hpp"

namespace graphrun::ops {

Op adam_update() {
  return update<AdamBody<false>>(
      adam_declaration("adam_update", "One step of Adam; weight decay is part of the gradient.",
                       "m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g^2, "
                       "w <- w - lr (m / correction1) / (sqrt(v / correction2) + eps)"));
}

}  // namespace graphrun::ops
