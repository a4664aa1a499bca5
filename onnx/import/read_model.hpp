/// \file
/// From the bytes of an ONNX file to its records, with hard limits: what is declared is held against what is
/// there before memory is taken for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onnx/records.hpp"

namespace graphrun::onnx {

/// What a file may have at most. Larger ones are refused, whatever memory there is.
struct ReadLimits {
  std::uint64_t bytes = std::uint64_t{2} << 30;  ///< what protobuf itself takes
  std::size_t records = 1'000'000;               ///< nodes, attributes, tensors, names: all together
  std::size_t rank = 32;
  std::int64_t elements = std::int64_t{1} << 40;  ///< of a tensor
};

/// An op of the file's own, made of nodes. Names in it are its own, but for those of inputs and outputs.
struct FunctionRecord {
  std::string domain;
  std::string name;
  std::string overload;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<AttributeRecord> defaults;  ///< of attributes that a call may leave out
  std::vector<NodeRecord> nodes;
  std::int64_t opset = 0;  ///< of ONNX's own ops; 0: it has none
};

/// A model with what only a reader looks at.
struct ReadModel {
  ModelRecord model;
  std::vector<std::pair<std::string, std::int64_t>> domains;  ///< other opsets: "ai.onnx.ml", 3
  std::vector<FunctionRecord> functions;
};

/// Throws MalformedFile for all that is no ONNX file or beyond the limits. The graph is not looked at: its
/// names may lead nowhere, its nodes in a circle.
ReadModel read_model(std::string_view bytes, const ReadLimits& limits = {});

/// A file that holds one tensor, as the data of ONNX's own tests do.
TensorRecord read_tensor(std::string_view bytes);

/// Throws MalformedFile unless the bytes are as many as type and shape say.
void check_size(const TensorRecord& tensor);

}  // namespace graphrun::onnx
