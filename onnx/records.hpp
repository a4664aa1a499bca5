/// \file
/// What an ONNX file holds, as values: the messages of onnx.proto that graphrun reads and writes, under their
/// own names.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace graphrun::onnx {

/// TensorProto.DataType.
enum class ElementType : std::int32_t {
  none = 0,
  f32 = 1,
  u8 = 2,
  i8 = 3,
  u16 = 4,
  i16 = 5,
  i32 = 6,
  i64 = 7,
  text = 8,
  boolean = 9,
  f16 = 10,
  f64 = 11,
  u32 = 12,
  u64 = 13,
  bf16 = 16,
  f8e4m3 = 17,
  f8e4m3_no_zero = 18,  ///< without a negative zero
  f8e5m2 = 19,
  f8e5m2_no_zero = 20,
  u4 = 21,
  i4 = 22,
  f4e2m1 = 23,
  f8e8m0 = 24,
  u2 = 25,
  i2 = 26
};

/// A number, or a symbol when there is one: "batch". A file may leave both open.
struct Dimension {
  std::int64_t number = 0;
  std::string symbol = {};
};

struct ValueInfo {
  std::string name;
  ElementType type = ElementType::f32;  ///< none: no tensor, or of a type that the file does not say
  std::vector<Dimension> shape;
  bool has_shape = true;
};

/// Where the bytes of a tensor are that are not in the file itself.
struct ExternalData {
  std::string location;
  std::int64_t offset = 0;
  std::optional<std::int64_t> length;
};

struct TensorRecord {
  std::string name;
  ElementType type = ElementType::f32;
  std::vector<std::int64_t> shape;
  std::string bytes;  ///< little-endian, dense, row-major
  std::optional<ExternalData> external = {};
};

struct GraphRecord;
using SharedGraph = std::shared_ptr<const GraphRecord>;

struct AttributeRecord {
  std::string name;
  std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>,
               std::vector<std::string>, TensorRecord, SharedGraph>
      value;
  std::string reference = {};  ///< in a function: which attribute of its calls gives the value
};

struct NodeRecord {
  std::string name;
  std::string op;
  std::string domain = {};          ///< empty: ONNX's own
  std::vector<std::string> inputs;  ///< empty: an optional one that is left out
  std::vector<std::string> outputs;
  std::vector<AttributeRecord> attributes;
  std::string overload = {};  ///< of functions with the same name, which one
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
  std::int64_t opset = 17;  ///< of ONNX's own ops
  GraphRecord graph;
  std::vector<std::pair<std::string, std::string>> metadata;
};

/// The file's bytes. Error{usage} when they are more than the 2 GiB that readers of the format take.
std::string serialise(const ModelRecord& model);

}  // namespace graphrun::onnx
