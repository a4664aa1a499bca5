#include "ops/list.hpp"
#include "ops/rmsprop_body.hpp"

namespace graphrun::ops {

Op rmsprop_update() {
  return update<RmspropBody<1>>(rmsprop_spec());
}

}  // namespace graphrun::ops
