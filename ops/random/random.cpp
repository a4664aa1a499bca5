#include "ops/random/random.hpp"

namespace graphrun::ops {

const std::string& random_path(const Node& node) {
  return node.origin && !node.origin->path.empty() ? node.origin->path : node.name;
}

Type infer_random(const InferContext& context) {
  return {DType::f32, checked_shape(context.attributes)};
}

AttributeDeclaration random_shape() {
  return shape_attribute({},
                         "its shape, such as [batch, 64]; `like: NODE` in a model file takes that node's");
}

}  // namespace graphrun::ops
