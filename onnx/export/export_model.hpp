/// \file
/// A trained model, or a part of it, as an ONNX file that stands alone: weights, names, and the model itself
/// in its metadata.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "train/learn/learner.hpp"

namespace graphrun::onnx {

/// The opsets that can be written.
inline constexpr std::int64_t oldest_opset = 13;
inline constexpr std::int64_t newest_opset = 21;

struct ExportOptions {
  /// "encoder": output `code`. "decoder": output `image` from `latent`, or from `code`. "whole": all outputs
  /// of the model. Else the names of outputs and nodes.
  std::vector<std::string> part = {"whole"};
  /// Nodes and outputs that become inputs of the file, which cuts the graph there.
  std::vector<std::string> given = {};
  /// Inputs of images are u8, and divided as the data are.
  bool pixels = false;
  /// Of a model of a table: the file takes its columns, see with_raw_columns(), and names them in its
  /// metadata.
  bool raw = false;
  std::int64_t opset = 17;
};

struct Exported {
  std::string bytes;
  std::vector<std::string> inputs;   ///< "x f32[batch, 784]"
  std::vector<std::string> outputs;  ///< the same
  std::size_t nodes = 0;
};

/// The file's bytes. In evaluation mode; noise is left out, `when: always` too: what is given to the file is
/// what the model would have made noisy. Throws ModelError with all nodes that cannot be exported, and
/// Error{usage} for names that the model does not have and opsets that are not written.
Exported export_model(const train::Learner& learner, const ExportOptions& options);

}  // namespace graphrun::onnx
