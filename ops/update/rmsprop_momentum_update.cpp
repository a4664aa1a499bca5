#include "ops/op.hpp"
#include "ops/update/rmsprop_body.hpp"

namespace graphrun::ops {

Op rmsprop_momentum_update() {
  UpdateDeclaration declared = rmsprop_declaration();
  declared.name = "rmsprop_momentum_update";
  declared.doc = "One step of RMSprop with momentum.";
  declared.formula = "v <- alpha v + (1 - alpha) g^2, u <- momentum u + g / (sqrt(v) + eps), w <- w - lr u";
  declared.slots.push_back({"velocity", "the sum of past steps"});
  declared.attributes.push_back(setting("momentum", share, "how much of the last step is kept"));
  return update<RmspropBody<2>>(std::move(declared));
}

}  // namespace graphrun::ops
