#include "tests/onnx/reader.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace graphrun::testing {

namespace {

class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}
  bool at_end() const { return at_ == bytes_.size(); }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1).front());
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
    throw std::runtime_error("a number is too long");
  }
  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_) throw std::runtime_error("a message is cut");
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

std::string described(std::string_view value) {
  const std::string tensor = bytes_of(bytes_of(value, 2), 1);
  std::string text = bytes_of(value, 1) + " " + std::to_string(fields(tensor, 1).at(0).integer) + " [";
  for (const WireField& dimension : fields(bytes_of(tensor, 2), 1)) {
    const std::vector<WireField> numbers = fields(dimension.bytes, 1);
    text += (text.back() == '[' ? "" : ", ") +
            (numbers.empty() ? bytes_of(dimension.bytes, 2) : std::to_string(numbers.at(0).integer));
  }
  return text + "]";
}

ReadTensor tensor_of(std::string_view message) {
  ReadTensor tensor{bytes_of(message, 8), {}, {}};
  for (const WireField& extent : fields(message, 1))
    tensor.shape.push_back(static_cast<std::int64_t>(extent.integer));
  const std::string raw = bytes_of(message, 9);
  if (fields(message, 2).at(0).integer != 1) return tensor;
  tensor.values.resize(raw.size() / sizeof(float));
  std::memcpy(tensor.values.data(), raw.data(), raw.size());
  return tensor;
}

ReadNode node_of(std::string_view message) {
  ReadNode node{bytes_of(message, 4), bytes_of(message, 3), {}, {}};
  for (const WireField& input : fields(message, 1)) node.inputs.push_back(input.bytes);
  for (const WireField& output : fields(message, 2)) node.outputs.push_back(output.bytes);
  return node;
}

}  // namespace

std::vector<WireField> read_message(std::string_view bytes) {
  std::vector<WireField> result;
  for (Cursor cursor(bytes); !cursor.at_end();) {
    const std::uint64_t tag = cursor.varint();
    WireField field{static_cast<std::uint32_t>(tag >> 3U), static_cast<std::uint32_t>(tag & 7U)};
    if (field.kind == 0) {
      field.integer = cursor.varint();
    } else if (field.kind == 2) {
      const std::uint64_t count = cursor.varint();
      field.bytes = cursor.take(count);
    } else if (field.kind == 5) {
      std::memcpy(&field.integer, cursor.take(4).data(), 4);
    } else {
      throw std::runtime_error("a field is of no kind that is written");
    }
    result.push_back(std::move(field));
  }
  return result;
}

std::vector<WireField> fields(std::string_view message, std::uint32_t number) {
  std::vector<WireField> all = read_message(message);
  std::erase_if(all, [&](const WireField& field) { return field.number != number; });
  return all;
}

std::string bytes_of(std::string_view message, std::uint32_t number) {
  const std::vector<WireField> found = fields(message, number);
  return found.empty() ? std::string() : found.front().bytes;
}

ReadModel read_model(std::string_view bytes) {
  ReadModel model;
  model.ir_version = static_cast<std::int64_t>(fields(bytes, 1).at(0).integer);
  model.opset = static_cast<std::int64_t>(fields(bytes_of(bytes, 8), 2).at(0).integer);
  const std::string graph = bytes_of(bytes, 7);
  for (const WireField& field : read_message(graph)) {
    if (field.number == 1) model.nodes.push_back(node_of(field.bytes));
    if (field.number == 5) model.tensors.push_back(tensor_of(field.bytes));
    if (field.number == 11) model.inputs.push_back(described(field.bytes));
    if (field.number == 12) model.outputs.push_back(described(field.bytes));
  }
  for (const WireField& entry : fields(bytes, 14))
    model.metadata.emplace_back(bytes_of(entry.bytes, 1), bytes_of(entry.bytes, 2));
  return model;
}

std::vector<std::string> ReadModel::ops() const {
  std::vector<std::string> result;
  for (const ReadNode& node : nodes) result.push_back(node.op);
  return result;
}

const ReadTensor& ReadModel::tensor(std::string_view name) const {
  const auto found = std::ranges::find(tensors, name, &ReadTensor::name);
  if (found == tensors.end()) throw std::runtime_error("no tensor " + std::string(name));
  return *found;
}

}  // namespace graphrun::testing
