#include <fmt/format.h>

#include <limits>
#include <string>

#include "graphrun/error.hpp"
#include "graphrun/version.hpp"
#include "onnx/records.hpp"
#include "onnx/wire.hpp"

namespace graphrun::onnx {

namespace {

// The numbers of the fields are those of onnx.proto.

WireMessage message_of(const Dimension& dimension) {
  WireMessage message;
  if (dimension.symbol.empty())
    message.integer(1, dimension.number);
  else
    message.text(2, dimension.symbol);
  return message;
}

WireMessage message_of(const ValueInfo& value) {
  WireMessage shape;
  for (const Dimension& dimension : value.shape) shape.message(1, message_of(dimension));
  WireMessage tensor;
  tensor.integer(1, static_cast<std::int64_t>(value.type));
  if (value.has_shape) tensor.message(2, shape);
  WireMessage type;
  type.message(1, tensor);
  WireMessage message;
  message.text(1, value.name);
  message.message(2, type);
  return message;
}

WireMessage pair_of(const std::pair<std::string, std::string>& entry) {
  WireMessage message;
  message.text(1, entry.first);
  message.text(2, entry.second);
  return message;
}

WireMessage message_of(const TensorRecord& tensor) {
  WireMessage message;
  for (const std::int64_t extent : tensor.shape) message.integer(1, extent);
  message.integer(2, static_cast<std::int64_t>(tensor.type));
  message.text(8, tensor.name);
  if (!tensor.external) {
    message.text(9, tensor.bytes);
    return message;
  }
  message.message(13, pair_of({"location", tensor.external->location}));
  message.message(13, pair_of({"offset", fmt::format("{}", tensor.external->offset)}));
  if (tensor.external->length)
    message.message(13, pair_of({"length", fmt::format("{}", *tensor.external->length)}));
  message.integer(14, 1);
  return message;
}

WireMessage message_of(const GraphRecord& graph);

/// AttributeProto has a field and a type for each kind of value.
struct AttributeWriter {
  WireMessage& message;
  void type(std::int64_t number) const { message.integer(20, number); }

  void operator()(float value) const {
    message.number(2, value);
    type(1);
  }
  void operator()(std::int64_t value) const {
    message.integer(3, value);
    type(2);
  }
  void operator()(const std::string& value) const {
    message.text(4, value);
    type(3);
  }
  void operator()(const std::vector<std::int64_t>& values) const {
    for (const std::int64_t value : values) message.integer(8, value);
    type(7);
  }
  void operator()(const std::vector<float>& values) const {
    for (const float value : values) message.number(7, value);
    type(6);
  }
  void operator()(const std::vector<std::string>& values) const {
    for (const std::string& value : values) message.text(9, value);
    type(8);
  }
  void operator()(const TensorRecord& tensor) const {
    message.message(5, message_of(tensor));
    type(4);
  }
  void operator()(const SharedGraph& graph) const {
    message.message(6, message_of(*graph));
    type(5);
  }
};

WireMessage message_of(const AttributeRecord& attribute) {
  WireMessage message;
  message.text(1, attribute.name);
  std::visit(AttributeWriter{message}, attribute.value);
  return message;
}

WireMessage message_of(const NodeRecord& node) {
  WireMessage message;
  for (const std::string& input : node.inputs) message.text(1, input);
  for (const std::string& output : node.outputs) message.text(2, output);
  message.text(3, node.name);
  message.text(4, node.op);
  if (!node.domain.empty()) message.text(7, node.domain);
  for (const AttributeRecord& attribute : node.attributes) message.message(5, message_of(attribute));
  return message;
}

WireMessage message_of(const GraphRecord& graph) {
  WireMessage message;
  for (const NodeRecord& node : graph.nodes) message.message(1, message_of(node));
  message.text(2, graph.name);
  for (const TensorRecord& tensor : graph.initializers) message.message(5, message_of(tensor));
  if (!graph.about.empty()) message.text(10, graph.about);
  for (const ValueInfo& input : graph.inputs) message.message(11, message_of(input));
  for (const ValueInfo& output : graph.outputs) message.message(12, message_of(output));
  return message;
}

}  // namespace

std::string serialise(const ModelRecord& model) {
  WireMessage opset;
  opset.text(1, "");
  opset.integer(2, model.opset);
  WireMessage message;
  message.integer(1, model.ir_version);
  message.text(2, "graphrun");
  message.text(3, version);
  message.message(7, message_of(model.graph));
  message.message(8, opset);
  for (const auto& entry : model.metadata) message.message(14, pair_of(entry));
  if (message.bytes().size() > std::numeric_limits<std::int32_t>::max())
    throw Error(ErrorCode::usage, fmt::format("the model makes an ONNX file of {} bytes, and readers of the "
                                              "format take no more than 2 GiB; export a part of it",
                                              message.bytes().size()));
  return std::move(message).bytes();
}

}  // namespace graphrun::onnx
