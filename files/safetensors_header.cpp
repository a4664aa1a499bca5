#include "files/safetensors_header.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "files/file.hpp"

namespace graphrun::files {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* metadata_key = "__metadata__";
/// The header, a tensor or the metadata in it, its shape or offsets.
constexpr int deepest = 3;

/// Text in quotes as JSON writes it. A value that is a text alone allocates nothing to be destroyed.
std::string quoted(const std::string& text, Json::error_handler_t on_wrong = Json::error_handler_t::strict) {
  return Json(text).dump(-1, ' ', false, on_wrong);
}

/// Takes a header in event by event: a tree of nlohmann-json's values allocates in order to be destroyed, and
/// ends the process when there is no memory. Refuses what the parser lets pass or only overwrites, too: keys
/// given twice, deep nesting. What is wrong with an entry is said at the end: first it must be JSON. The
/// names of the events are the parser's.
class HeaderEvents {
 public:
  HeaderEvents(SafetensorsHeader& header, const fs::path& path) : header_(header), path_(path) {}

  bool null() { return misplaced("null"); }
  bool boolean(bool is) { return misplaced(is ? "true" : "false"); }
  bool number_integer(std::int64_t number) { return misplaced(fmt::format("{}", number)); }
  bool number_float(double /*number*/, const std::string& text) { return misplaced(text); }
  bool binary(std::vector<std::uint8_t>& /*bytes*/) { return false; }  // there are none in text

  bool number_unsigned(std::uint64_t number) {
    if (list_ == nullptr) return misplaced(fmt::format("{}", number));
    list_->push_back(number);
    return true;
  }

  bool string(std::string& text) {
    if (depth_ == 2 && in_metadata()) {
      header_.metadata[field()] = std::move(text);
    } else if (depth_ == 2 && field() == "dtype") {
      take_type(text);
    } else {
      misplaced(quoted(text, Json::error_handler_t::replace));
    }
    return true;
  }

  bool start_object(std::size_t /*elements*/) {
    if (depth_ == 1) entry_ = {};
    if (depth_ == 2) misplaced("{...}");
    enter();
    levels_.emplace_back();
    return true;
  }

  bool key(const std::string& name) {
    if (!levels_.back().seen.insert(name).second) {
      throw data_error(path_, fmt::format("the header has the key '{}' twice", name));
    }
    levels_.back().key = name;
    return true;
  }

  bool end_object() {
    levels_.pop_back();
    if (--depth_ == 1 && !in_metadata()) finish_tensor();
    return true;
  }

  bool start_array(std::size_t /*elements*/) {
    const bool of_tensor = depth_ == 2 && !in_metadata();
    if (of_tensor && field() == "shape") list_ = &entry_.shape.emplace();
    if (of_tensor && field() == "data_offsets") list_ = &entry_.offsets.emplace();
    if (list_ == nullptr) misplaced("[...]");
    enter();
    return true;
  }

  bool end_array() {
    list_ = nullptr;
    --depth_;
    return true;
  }

  bool parse_error(std::size_t /*position*/, const std::string& /*token*/, const Json::exception& error) {
    throw data_error(path_, fmt::format("the header is not valid JSON: {}", error.what()));
  }

  void throw_if_wrong() const {
    if (!wrong_.empty()) throw data_error(path_, wrong_);
  }

 private:
  struct Level {
    std::set<std::string> seen;
    std::string key;  ///< the latest
  };
  struct Entry {
    std::optional<StoredType> type;
    std::optional<std::vector<std::uint64_t>> shape;
    std::optional<std::vector<std::uint64_t>> offsets;
  };

  void enter() {
    if (depth_++ >= deepest) throw data_error(path_, "the header is nested too deeply");
  }

  const std::string& field() const { return levels_.back().key; }
  bool in_metadata() const { return levels_.front().key == metadata_key; }

  /// A value where another kind of value belongs; in fields that the format does not know, anything may
  /// stand.
  bool misplaced(const std::string& written) {
    if (depth_ == 1 && in_metadata()) say("__metadata__ is no JSON object");
    if (depth_ == 1) wrong_tensor("is no JSON object");
    if (depth_ == 2 && in_metadata()) say(fmt::format("__metadata__ '{}' is no text", field()));
    if (depth_ == 2 && field() == "dtype") wrong_type(written);
    if (depth_ == 2 && (field() == "shape" || field() == "data_offsets")) {
      wrong_tensor(fmt::format("needs a list for '{}'", field()));
    }
    if (list_ != nullptr) {
      wrong_tensor(fmt::format("has a '{}' that is no whole number from 0 up", field()));
    }
    return true;
  }

  void take_type(const std::string& text) {
    const auto* const known = std::ranges::find(stored_types, text, &StoredTypeInfo::safetensors);
    if (known == stored_types.end()) return wrong_type(quoted(text, Json::error_handler_t::replace));
    entry_.type = known->type;
  }

  void wrong_type(const std::string& written) {
    wrong_tensor(fmt::format("has the dtype {}; F16, BF16, F32, F64, I8 to I64, U8 to U64 and BOOL are read",
                             written));
  }

  void wrong_tensor(const std::string& what) {
    say(fmt::format("tensor '{}' {}", levels_.front().key, what));
  }

  /// The first of all.
  void say(const std::string& what) {
    if (wrong_.empty()) wrong_ = what;
  }

  void finish_tensor() {
    if (!entry_.type) return wrong_tensor("has no 'dtype'");
    if (!entry_.shape) return wrong_tensor("has no 'shape'");
    if (!entry_.offsets) return wrong_tensor("has no 'data_offsets'");
    if (entry_.offsets->size() != 2) return wrong_tensor("needs two data_offsets");
    StoredTensor tensor{.name = levels_.front().key,
                        .type = *entry_.type,
                        .shape = {entry_.shape->begin(), entry_.shape->end()},
                        .begin = entry_.offsets->front(),
                        .end = entry_.offsets->back(),
                        .sum = {}};
    const std::optional<std::uint64_t> bytes = byte_count(tensor.type, tensor.shape);
    if (!bytes) {
      return wrong_tensor(fmt::format("has a shape [{}] that overflows", fmt::join(tensor.shape, ", ")));
    }
    if (tensor.end < tensor.begin || tensor.end - tensor.begin != *bytes) {
      return wrong_tensor(fmt::format("has data_offsets [{}, {}], but its shape [{}] takes {} bytes",
                                      tensor.begin, tensor.end, fmt::join(tensor.shape, ", "), *bytes));
    }
    header_.tensors.push_back(std::move(tensor));
  }

  SafetensorsHeader& header_;
  const fs::path& path_;
  std::vector<Level> levels_;  ///< of the objects that are open
  int depth_ = 0;              ///< of objects and lists
  Entry entry_;
  std::vector<std::uint64_t>* list_ = nullptr;  ///< that is being read, if it is one of a tensor's
  std::string wrong_;
};

SafetensorsHeader parse_json(std::string_view text, const fs::path& path) {
  // The parser would take a zero byte for the end and pass over a byte order mark.
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos || text[start] != '{' || text.find('\0') != std::string_view::npos) {
    throw data_error(path, "the header is no JSON object");
  }
  SafetensorsHeader header;
  HeaderEvents events(header, path);
  Json::sax_parse(text.begin(), text.end(), &events);
  events.throw_if_wrong();
  return header;
}

/// Every byte belongs to exactly one tensor: nothing can hide in the file.
void check_coverage(const std::vector<StoredTensor>& tensors, std::uint64_t payload_bytes,
                    const fs::path& path) {
  std::uint64_t end = 0;
  for (const StoredTensor& tensor : tensors) {
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

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t payload_bytes,
                                           const fs::path& path) {
  SafetensorsHeader header = parse_json(json, path);
  std::ranges::stable_sort(header.tensors, {},
                           [](const StoredTensor& tensor) { return std::pair(tensor.begin, tensor.end); });
  check_coverage(header.tensors, payload_bytes, path);
  return header;
}

std::string format_safetensors_header(const SafetensorsHeader& header) {
  std::string text = "{";
  std::set<std::string_view> names;
  const auto begin = [&text](const std::string& key) {
    text += text.back() == '{' ? "" : ",";
    text += quoted(key) + ":";
  };
  try {
    if (!header.metadata.empty()) {
      begin(metadata_key);
      text += '{';
      for (const auto& [key, value] : header.metadata) {
        begin(key);
        text += quoted(value);
      }
      text += '}';
    }
    for (const StoredTensor& tensor : header.tensors) {
      if (tensor.name == metadata_key) {
        throw Error(ErrorCode::usage, "a tensor may not be named __metadata__");
      }
      if (!names.insert(tensor.name).second) {
        throw Error(ErrorCode::usage, fmt::format("two tensors are named '{}'", tensor.name));
      }
      begin(tensor.name);
      text += fmt::format(R"({{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                          info_of(tensor.type).safetensors, fmt::join(tensor.shape, ","), tensor.begin,
                          tensor.end);
    }
  } catch (const Json::exception&) {
    throw Error(ErrorCode::usage, "a tensor's name or the metadata is not valid UTF-8");
  }
  return text + "}";
}

}  // namespace graphrun::files
