/// \file
/// Reads Protocol Buffers without knowing what they mean: the tests' own reader of what onnx/wire writes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace graphrun::testing {

/// One field of a message, in order.
struct WireField {
  std::uint32_t number = 0;
  std::uint32_t kind = 0;     ///< 0: a number, 2: bytes, 5: four bytes
  std::uint64_t integer = 0;  ///< of kinds 0 and 5
  std::string bytes = {};     ///< of kind 2
};

/// Throws std::runtime_error for what is cut or not of these kinds.
std::vector<WireField> read_message(std::string_view bytes);

/// The fields with this number.
std::vector<WireField> fields(std::string_view message, std::uint32_t number);
/// The bytes of the one field with this number; empty when there is none.
std::string bytes_of(std::string_view message, std::uint32_t number);

/// An ONNX file as far as the tests look at it.
struct ReadNode {
  std::string op;
  std::string name;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
};
struct ReadTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;  ///< of f32
};
struct ReadModel {
  std::int64_t opset = 0;
  std::int64_t ir_version = 0;
  std::vector<ReadNode> nodes;
  std::vector<ReadTensor> tensors;
  std::vector<std::string> inputs;  ///< "x 1 [batch, 784]": name, type, shape
  std::vector<std::string> outputs;
  std::vector<std::pair<std::string, std::string>> metadata;

  std::vector<std::string> ops() const;
  const ReadTensor& tensor(std::string_view name) const;
};
ReadModel read_model(std::string_view bytes);

}  // namespace graphrun::testing
