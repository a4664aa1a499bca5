#include "onnx/import/ops/imported_ops.hpp"

#include <map>

namespace graphrun::onnx {

std::vector<ImportedOp> imported_ops() {
  std::vector<ImportedOp> all;
  for (const auto family : {elementwise_imports(), shape_imports(), index_imports(), product_imports(),
                            image_imports(), grid_imports(), resize_imports(), reduction_imports(),
                            sequence_imports(), signal_imports(), normalization_imports(), loss_imports(),
                            attention_imports(), quantization_imports(), random_imports()})
    all.insert(all.end(), family.begin(), family.end());
  return all;
}

Import import_of(std::string_view op) {
  static const std::map<std::string_view, Import> table = [] {
    std::map<std::string_view, Import> all;
    for (const ImportedOp& row : imported_ops()) all.emplace(row.op, row.import);
    return all;
  }();
  const auto found = table.find(op);
  return found == table.end() ? nullptr : found->second;
}

}  // namespace graphrun::onnx
