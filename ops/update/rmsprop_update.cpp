#include "ops/op.hpp"
#include "ops/update/rmsprop_body.hpp"

namespace graphrun::ops {

Op rmsprop_update() {
  return update<RmspropBody<1>>(rmsprop_declaration());
}

}  // namespace graphrun::ops
