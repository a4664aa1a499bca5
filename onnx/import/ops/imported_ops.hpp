/// \file
/// Which ops of ONNX are imported, and by what.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "onnx/import/importer.hpp"

namespace graphrun::onnx {

struct ImportedOp {
  std::string_view op;
  Import import;
};

/// The families; one file each.
std::span<const ImportedOp> elementwise_imports();
std::span<const ImportedOp> shape_imports();
std::span<const ImportedOp> index_imports();
std::span<const ImportedOp> product_imports();
std::span<const ImportedOp> image_imports();
std::span<const ImportedOp> grid_imports();
std::span<const ImportedOp> reduction_imports();
std::span<const ImportedOp> resize_imports();
std::span<const ImportedOp> sequence_imports();
std::span<const ImportedOp> signal_imports();
std::span<const ImportedOp> normalization_imports();
std::span<const ImportedOp> loss_imports();
std::span<const ImportedOp> attention_imports();
std::span<const ImportedOp> quantization_imports();
std::span<const ImportedOp> random_imports();

/// All of them.
std::vector<ImportedOp> imported_ops();
/// Null for an op that is not imported.
Import import_of(std::string_view op);

}  // namespace graphrun::onnx
