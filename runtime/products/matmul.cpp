#include "runtime/products/matmul.hpp"

namespace graphrun::runtime {

std::optional<MatmulSpec> one_product(const Attributes& attributes, const Extents& x, const Extents& w,
                                      const Extents& output) {
  MatmulSpec spec;
  spec.transpose_a = attributes.flag("transpose_a");
  spec.transpose_b = attributes.flag("transpose_b");
  if (w.size() != 2 || (spec.transpose_a && x.size() != 2)) return std::nullopt;
  spec.rows = 1;
  for (std::size_t axis = 0; axis + 1 < output.size(); ++axis) spec.rows *= output[axis];
  spec.columns = output.back();
  spec.inner = spec.transpose_a ? x[0] : x.back();
  return spec;
}

}  // namespace graphrun::runtime
