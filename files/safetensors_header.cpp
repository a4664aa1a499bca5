#include "files/safetensors_header.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

#include "files/file.hpp"

namespace graphrun::files {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr const char* metadata_key = "__metadata__";
/// The header, a tensor or the metadata in it, its shape or offsets.
constexpr int deepest = 3;

constexpr std::array<std::pair<ElementType, const char*>, 5> type_names{{{ElementType::f32, "F32"},
                                                                         {ElementType::f64, "F64"},
                                                                         {ElementType::i32, "I32"},
                                                                         {ElementType::i64, "I64"},
                                                                         {ElementType::u8, "U8"}}};

/// Refuses what nlohmann-json lets pass or only overwrites: keys given twice, deep nesting.
class StrictEvents {
 public:
  explicit StrictEvents(const fs::path& path) : path_(path) {}

  bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    if ((event == Event::object_start || event == Event::array_start) && depth >= deepest) {
      throw data_error(path_, "the header is nested too deeply");
    }
    if (event == Event::object_start) keys_.emplace_back();
    if (event == Event::object_end) keys_.pop_back();
    if (event == Event::key && !keys_.back().insert(parsed.get<std::string>()).second) {
      throw data_error(path_, fmt::format("the header has the key '{}' twice", parsed.get<std::string>()));
    }
    return true;
  }

 private:
  const fs::path& path_;
  std::vector<std::set<std::string>> keys_;
};

Json parse_json(std::string_view text, const fs::path& path) {
  // The parser would take a zero byte for the end and pass over a byte order mark.
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos || text[start] != '{' || text.find('\0') != std::string_view::npos) {
    throw data_error(path, "the header is no JSON object");
  }
  try {
    return Json::parse(text.begin(), text.end(), StrictEvents(path));
  } catch (const Json::exception& exception) {
    throw data_error(path, fmt::format("the header is not valid JSON: {}", exception.what()));
  }
}

/// Reads the fields of one tensor's entry.
class TensorEntry {
 public:
  TensorEntry(const std::string& name, const Json& entry, const fs::path& path)
      : name_(name), entry_(entry), path_(path) {
    if (!entry.is_object()) fail("is no JSON object");
  }

  TensorInfo info() const {
    TensorInfo tensor;
    tensor.name = name_;
    tensor.type = type();
    for (const std::uint64_t size : numbers("shape")) tensor.shape.push_back(size);
    const std::vector<std::uint64_t> offsets = numbers("data_offsets");
    if (offsets.size() != 2) fail("needs two data_offsets");
    tensor.begin = offsets[0];
    tensor.end = offsets[1];
    check_size(tensor);
    return tensor;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw data_error(path_, fmt::format("tensor '{}' {}", name_, what));
  }

  const Json& field(const char* key) const {
    const auto found = entry_.find(key);
    if (found == entry_.end()) fail(fmt::format("has no '{}'", key));
    return *found;
  }

  ElementType type() const {
    const Json& written = field("dtype");
    for (const auto& [type, name] : type_names) {
      if (written == name) return type;
    }
    fail(fmt::format("has the dtype {}; F32, F64, I32, I64 and U8 are read",
                     written.dump(-1, ' ', false, Json::error_handler_t::replace)));
  }

  std::vector<std::uint64_t> numbers(const char* key) const {
    const Json& list = field(key);
    if (!list.is_array()) fail(fmt::format("needs a list for '{}'", key));
    std::vector<std::uint64_t> values;
    for (const Json& value : list) {
      if (!value.is_number_unsigned()) fail(fmt::format("has a '{}' that is no whole number from 0 up", key));
      values.push_back(value.get<std::uint64_t>());
    }
    return values;
  }

  void check_size(const TensorInfo& tensor) const {
    const std::optional<std::uint64_t> bytes = byte_count(tensor.type, tensor.shape);
    if (!bytes) fail(fmt::format("has a shape [{}] that overflows", fmt::join(tensor.shape, ", ")));
    if (tensor.end < tensor.begin || tensor.end - tensor.begin != *bytes) {
      fail(fmt::format("has data_offsets [{}, {}], but its shape [{}] takes {} bytes", tensor.begin,
                       tensor.end, fmt::join(tensor.shape, ", "), *bytes));
    }
  }

  const std::string& name_;
  const Json& entry_;
  const fs::path& path_;
};

std::map<std::string, std::string> read_metadata(const Json& entry, const fs::path& path) {
  if (!entry.is_object()) throw data_error(path, "__metadata__ is no JSON object");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : entry.items()) {
    if (!value.is_string()) throw data_error(path, fmt::format("__metadata__ '{}' is no text", key));
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

/// Every byte belongs to exactly one tensor: nothing can hide in the file.
void check_coverage(const std::vector<TensorInfo>& tensors, std::uint64_t payload_bytes,
                    const fs::path& path) {
  std::uint64_t end = 0;
  for (const TensorInfo& tensor : tensors) {
    if (tensor.begin != end) {
      throw data_error(path,
                       fmt::format("tensor '{}' begins at byte {} of the data instead of {}: {}", tensor.name,
                                   tensor.begin, end, tensor.begin > end ? "a hole" : "an overlap"));
    }
    end = tensor.end;
  }
  if (end != payload_bytes) {
    throw data_error(
        path, fmt::format("holds {} bytes of data, but its tensors take {}: the file is {}", payload_bytes,
                          end, end > payload_bytes ? "cut off" : "longer than it should be"));
  }
}

const char* name_of(ElementType type) {
  for (const auto& [known, name] : type_names) {
    if (known == type) return name;
  }
  throw Error(ErrorCode::internal, "an element type without a safetensors name");
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t payload_bytes,
                                           const fs::path& path) {
  const Json document = parse_json(json, path);
  SafetensorsHeader header;
  for (const auto& [key, entry] : document.items()) {
    if (key == metadata_key) {
      header.metadata = read_metadata(entry, path);
    } else {
      header.tensors.push_back(TensorEntry(key, entry, path).info());
    }
  }
  std::ranges::stable_sort(header.tensors, {},
                           [](const TensorInfo& tensor) { return std::pair(tensor.begin, tensor.end); });
  check_coverage(header.tensors, payload_bytes, path);
  return header;
}

std::string format_safetensors_header(const SafetensorsHeader& header) {
  OrderedJson document = OrderedJson::object();
  if (!header.metadata.empty()) document[metadata_key] = header.metadata;
  for (const TensorInfo& tensor : header.tensors) {
    if (tensor.name == metadata_key) throw Error(ErrorCode::usage, "a tensor may not be named __metadata__");
    if (document.contains(tensor.name)) {
      throw Error(ErrorCode::usage, fmt::format("two tensors are named '{}'", tensor.name));
    }
    document[tensor.name] = {{"dtype", name_of(tensor.type)},
                             {"shape", tensor.shape},
                             {"data_offsets", {tensor.begin, tensor.end}}};
  }
  try {
    return document.dump();
  } catch (const Json::exception&) {
    throw Error(ErrorCode::usage, "a tensor's name or the metadata is not valid UTF-8");
  }
}

}  // namespace graphrun::files
