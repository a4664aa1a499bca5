/// \file
/// What an ONNX file holds, as values: the messages of onnx.proto that graphrun writes, under their own
/// names.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace graphrun::onnx {

/// TensorProto.DataType.
enum class ElementType : std::int32_t { f32 = 1, u8 = 2, i32 = 6, i64 = 7, boolean = 9, f64 = 11 };

/// A number, or a symbol when there is one: "batch".
struct Dimension {
  std::int64_t number = 0;
  std::string symbol = {};
};

struct ValueInfo {
  std::string name;
  ElementType type = ElementType::f32;
  std::vector<Dimension> shape;
};

struct TensorRecord {
  std::string name;
  ElementType type = ElementType::f32;
  std::vector<std::int64_t> shape;
  std::string bytes;  ///< little-endian, dense, row-major
};

struct AttributeRecord {
  std::string name;
  std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>> value;
};

struct NodeRecord {
  std::string name;
  std::string op;
  std::vector<std::string> inputs;  ///< empty: an optional one that is left out
  std::vector<std::string> outputs;
  std::vector<AttributeRecord> attributes;
};

struct GraphRecord {
  std::string name;
  std::string about;
  std::vector<NodeRecord> nodes;  ///< each after those that it needs
  std::vector<TensorRecord> initializers;
  std::vector<ValueInfo> inputs;
  std::vector<ValueInfo> outputs;
};

struct ModelRecord {
  std::int64_t ir_version = 8;
  std::int64_t opset = 17;
  GraphRecord graph;
  std::vector<std::pair<std::string, std::string>> metadata;
};

/// The file's bytes. Error{usage} when they are more than the 2 GiB that readers of the format take.
std::string serialise(const ModelRecord& model);

}  // namespace graphrun::onnx
