/// \file
/// Small models that say what a file of ONNX must get right: blocks, layouts of images, shapes with the
/// batch.
#pragma once

#include <string>
#include <vector>

namespace graphrun::testing {

struct BlockModel {
  std::string name;
  std::string text;                   ///< YAML
  std::vector<std::string> ops = {};  ///< of the file at opset 17, in order; empty: not looked at
};

const std::vector<BlockModel>& block_models();

}  // namespace graphrun::testing
