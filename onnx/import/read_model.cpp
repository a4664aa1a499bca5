#include "onnx/import/read_model.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <optional>

#include "errors/printable.hpp"
#include "graph/type.hpp"
#include "onnx/import/element_type.hpp"
#include "onnx/import/wire_reader.hpp"

namespace graphrun::onnx {

namespace {

/// Bytes of text that a name in a message may have.
std::string shown(std::string_view name) {
  return printable(shortened(std::string(name)));
}

std::int64_t number_in(const WireReader& field, std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0)
    field.refuse(fmt::format("'{}' where an offset or length should be", shown(text)));
  return number;
}

/// Empty for ONNX's own, which has two names.
std::string domain_in(const WireReader& field) {
  const std::string_view domain = field.text();
  return domain == "ai.onnx" ? std::string() : std::string(domain);
}

/// How many elements there are, as far as the limits go.
std::int64_t checked_count(const std::vector<std::int64_t>& shape, const ReadLimits& limits) {
  if (shape.size() > limits.rank)
    throw MalformedFile(fmt::format("a tensor of {} axes, more than {}", shape.size(), limits.rank));
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) {
    if (extent < 0) throw MalformedFile(fmt::format("a tensor with an axis of {}", extent));
    if (extent != 0 && count > limits.elements / extent)
      throw MalformedFile(fmt::format("a tensor of more than {} elements", limits.elements));
    count *= extent;
  }
  return count;
}

class Reader {
 public:
  explicit Reader(const ReadLimits& limits) : limits_(limits), left_(limits.records) {}

  ReadModel model(WireReader message);
  TensorRecord tensor(WireReader message);

 private:
  void count(const WireReader& field) {
    if (left_-- == 0) field.refuse(fmt::format("more than {} records", limits_.records));
  }
  std::string name(const WireReader& field) {
    count(field);
    return std::string(field.text());
  }
  GraphRecord graph(WireReader message);
  NodeRecord node(WireReader message);
  AttributeRecord attribute(WireReader message);
  ValueInfo value(WireReader message);
  void type(WireReader message, ValueInfo& value);
  void shape(WireReader message, ValueInfo& value);
  FunctionRecord function(WireReader message);
  std::pair<std::string, std::string> entry(WireReader message);
  std::pair<std::string, std::int64_t> opset(WireReader message);
  void external(const WireReader& field, ExternalData& data);

  ReadLimits limits_;
  std::size_t left_;
};

std::pair<std::string, std::string> Reader::entry(WireReader message) {
  std::pair<std::string, std::string> result;
  while (message.next()) {
    if (message.field() == 1) result.first = message.text();
    if (message.field() == 2) result.second = message.text();
  }
  return result;
}

/// A domain, empty for ONNX's own, and its version.
std::pair<std::string, std::int64_t> Reader::opset(WireReader message) {
  std::pair<std::string, std::int64_t> result;
  while (message.next()) {
    if (message.field() == 1) result.first = domain_in(message);
    if (message.field() == 2) result.second = message.integer();
  }
  return result;
}

ReadModel Reader::model(WireReader message) {
  ReadModel read;
  read.model.opset = 0;
  bool has_graph = false;
  while (message.next()) {
    switch (message.field()) {
      case 1:
        read.model.ir_version = message.integer();
        break;
      case 7:
        count(message);
        read.model.graph = graph(message.message());
        has_graph = true;
        break;
      case 8: {
        count(message);
        const auto [domain, version] = opset(message.message());
        if (domain.empty())
          read.model.opset = version;
        else
          read.domains.emplace_back(domain, version);
        break;
      }
      case 14:
        count(message);
        read.model.metadata.push_back(entry(message.message()));
        break;
      case 25:
        count(message);
        read.functions.push_back(function(message.message()));
        break;
      default:
        break;
    }
  }
  if (!has_graph) throw MalformedFile("no ONNX file: there is no graph in it");
  return read;
}

GraphRecord Reader::graph(WireReader message) {
  GraphRecord graph;
  while (message.next()) {
    switch (message.field()) {
      case 1:
        count(message);
        graph.nodes.push_back(node(message.message()));
        break;
      case 2:
        graph.name = message.text();
        break;
      case 5:
        count(message);
        graph.initializers.push_back(tensor(message.message()));
        break;
      case 10:
        graph.about = message.text();
        break;
      case 11:
        count(message);
        graph.inputs.push_back(value(message.message()));
        break;
      case 12:
        count(message);
        graph.outputs.push_back(value(message.message()));
        break;
      case 15:
        message.refuse("sparse weights, which graphrun does not read,");
      default:
        break;
    }
  }
  return graph;
}

FunctionRecord Reader::function(WireReader message) {
  FunctionRecord function;
  while (message.next()) {
    switch (message.field()) {
      case 1:
        function.name = message.text();
        break;
      case 4:
        function.inputs.push_back(name(message));
        break;
      case 5:
        function.outputs.push_back(name(message));
        break;
      case 7:
        count(message);
        function.nodes.push_back(node(message.message()));
        break;
      case 9:
        if (const auto [domain, version] = opset(message.message()); domain.empty()) function.opset = version;
        break;
      case 10:
        function.domain = domain_in(message);
        break;
      case 11:
        count(message);
        function.defaults.push_back(attribute(message.message()));
        break;
      case 13:
        function.overload = message.text();
        break;
      default:
        break;
    }
  }
  return function;
}

NodeRecord Reader::node(WireReader message) {
  NodeRecord node;
  while (message.next()) {
    switch (message.field()) {
      case 1:
        node.inputs.push_back(name(message));
        break;
      case 2:
        node.outputs.push_back(name(message));
        break;
      case 3:
        node.name = message.text();
        break;
      case 4:
        node.op = message.text();
        break;
      case 5:
        count(message);
        node.attributes.push_back(attribute(message.message()));
        break;
      case 7:
        node.domain = domain_in(message);
        break;
      case 8:
        node.overload = message.text();
        break;
      default:
        break;
    }
  }
  return node;
}

AttributeRecord Reader::attribute(WireReader message) {
  AttributeRecord result;
  std::vector<std::int64_t> integers;
  std::vector<float> numbers;
  std::vector<std::string> texts;
  std::int64_t type = 0;
  while (message.next()) {
    switch (message.field()) {
      case 1:
        result.name = message.text();
        break;
      case 2:
        result.value = message.number();
        break;
      case 3:
        result.value = message.integer();
        break;
      case 4:
        result.value = std::string(message.text());
        break;
      case 5:
        result.value = tensor(message.message());
        break;
      case 6:
        result.value = std::make_shared<const GraphRecord>(graph(message.message()));
        break;
      case 7:
        message.numbers(numbers);
        break;
      case 8:
        message.integers(integers);
        break;
      case 9:
        count(message);
        texts.emplace_back(message.text());
        break;
      case 20:
        type = message.integer();
        break;
      case 21:
        result.reference = message.text();
        break;
      default:
        break;
    }
  }
  if (type == 6 || !numbers.empty()) result.value = std::move(numbers);
  if (type == 7 || !integers.empty()) result.value = std::move(integers);
  if (type == 8 || !texts.empty()) result.value = std::move(texts);
  return result;
}

ValueInfo Reader::value(WireReader message) {
  ValueInfo value;
  value.type = ElementType::none;
  value.has_shape = false;
  while (message.next()) {
    if (message.field() == 1) value.name = message.text();
    if (message.field() == 2) type(message.message(), value);
  }
  return value;
}

void Reader::type(WireReader message, ValueInfo& value) {
  while (message.next()) {
    if (message.field() != 1) continue;  // sequences, maps: no tensor
    for (WireReader tensor = message.message(); tensor.next();) {
      if (tensor.field() == 1) value.type = static_cast<ElementType>(tensor.integer());
      if (tensor.field() == 2) shape(tensor.message(), value);
    }
  }
}

void Reader::shape(WireReader message, ValueInfo& value) {
  value.has_shape = true;
  while (message.next()) {
    if (message.field() != 1) continue;
    if (value.shape.size() == limits_.rank)
      message.refuse(fmt::format("a value of more than {} axes", limits_.rank));
    Dimension dimension;
    for (WireReader inner = message.message(); inner.next();) {
      if (inner.field() == 1) dimension.number = inner.integer();
      if (inner.field() == 2) dimension.symbol = inner.text();
    }
    value.shape.push_back(dimension);
  }
}

void Reader::external(const WireReader& field, ExternalData& data) {
  const auto [key, value] = entry(field.message());
  if (key == "location") data.location = value;
  if (key == "offset") data.offset = number_in(field, value);
  if (key == "length") data.length = number_in(field, value);
}

template <class To, class From>
void append_as(std::string& bytes, const std::vector<From>& numbers) {
  const std::size_t old = bytes.size();
  bytes.resize(old + numbers.size() * sizeof(To));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto number = static_cast<To>(numbers[i]);
    std::memcpy(bytes.data() + old + i * sizeof(To), &number, sizeof(To));
  }
}

/// Numbers that are spread over fields of a wider type, as bytes of their own.
std::string narrowed(const std::vector<std::int64_t>& numbers, std::uint64_t size) {
  std::string bytes;
  if (size == 1) append_as<std::uint8_t>(bytes, numbers);
  if (size == 2) append_as<std::uint16_t>(bytes, numbers);
  if (size == 4) append_as<std::uint32_t>(bytes, numbers);
  if (size == 8) append_as<std::uint64_t>(bytes, numbers);
  return bytes;
}

TensorRecord Reader::tensor(WireReader message) {
  TensorRecord tensor;
  tensor.type = ElementType::none;
  std::vector<float> floats;
  std::vector<double> doubles;
  std::vector<std::int64_t> integers;
  ExternalData data;
  bool is_external = false;
  while (message.next()) {
    switch (message.field()) {
      case 1:
        message.integers(tensor.shape);
        break;
      case 2:
        tensor.type = static_cast<ElementType>(message.integer());
        break;
      case 3:
        message.refuse("a tensor in segments");
      case 4:
        message.numbers(floats);
        break;
      case 5:
      case 7:
      case 11:
        message.integers(integers);
        break;
      case 8:
        tensor.name = message.text();
        break;
      case 9:
        tensor.bytes = message.text();
        break;
      case 10:
        message.doubles(doubles);
        break;
      case 13:
        count(message);
        external(message, data);
        break;
      case 14:
        is_external = message.integer() == 1;
        break;
      default:
        break;
    }
  }
  checked_count(tensor.shape, limits_);
  const std::uint64_t size = bytes_of(tensor.type, 1);
  if (!floats.empty()) append_as<float>(tensor.bytes, floats);
  if (!doubles.empty()) append_as<double>(tensor.bytes, doubles);
  if (!integers.empty()) tensor.bytes += narrowed(integers, size);
  if (is_external)
    tensor.external = std::move(data);
  else if (size > 0)
    check_size(tensor);
  return tensor;
}

}  // namespace

void check_size(const TensorRecord& tensor) {
  const std::int64_t count = checked_count(tensor.shape, {});
  const std::uint64_t wanted = bytes_of(tensor.type, count);
  if (tensor.bytes.size() != wanted)
    throw MalformedFile(fmt::format("tensor '{}' of {} {} has {} bytes instead of {}", shown(tensor.name),
                                    type_name(tensor.type), to_string(Extents(tensor.shape)),
                                    tensor.bytes.size(), wanted));
}

ReadModel read_model(std::string_view bytes, const ReadLimits& limits) {
  if (bytes.size() > limits.bytes)
    throw MalformedFile(fmt::format("{} bytes, more than {}", bytes.size(), limits.bytes));
  return Reader(limits).model(WireReader(bytes));
}

TensorRecord read_tensor(std::string_view bytes) {
  return Reader({}).tensor(WireReader(bytes));
}

}  // namespace graphrun::onnx
