/// \file
/// Writes JSON on one line, value by value: what --json prints, metrics.jsonl, the data of a report. Keys
/// keep the order in which they were set. (Reading it is another matter: see safetensors_header.hpp.)
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace graphrun::files {

class JsonObject;
class JsonArray;

/// What may stand behind a key or in an array, as it is written.
class JsonValue {
 public:
  /// In quotes, and valid whatever bytes a path may hold: what is not UTF-8 becomes U+FFFD.
  JsonValue(std::string_view text);
  JsonValue(const std::string& text) : JsonValue(std::string_view(text)) {}
  JsonValue(const char* text) : JsonValue(std::string_view(text)) {}
  /// The shortest digits that read back as the same number, in every locale; not finite: null.
  JsonValue(std::floating_point auto number) : text_(digits(static_cast<double>(number))) {}
  JsonValue(std::integral auto number) : text_(std::to_string(number)) {}
  JsonValue(bool value) : text_(value ? "true" : "false") {}
  JsonValue(std::nullptr_t) : text_("null") {}
  /// Nothing: null.
  template <class Value>
  JsonValue(const std::optional<Value>& value) : JsonValue(value ? JsonValue(*value) : JsonValue(nullptr)) {}
  JsonValue(JsonObject object);
  JsonValue(JsonArray array);
  const std::string& text() const { return text_; }

 private:
  static std::string digits(double number);
  std::string text_;
};

class JsonObject {
 public:
  JsonObject& set(std::string_view key, const JsonValue& value);
  std::string text() const&;  ///< without a newline
  std::string text() &&;      ///< the same of one that is done with, without a copy: texts may be megabytes

 private:
  std::string body_ = "{";
};

class JsonArray {
 public:
  JsonArray& add(const JsonValue& value);
  std::string text() const { return body_ + "]"; }

 private:
  std::string body_ = "[";
};

/// An array of a value for each element.
template <class Values>
JsonArray json_array(const Values& values) {
  JsonArray array;
  for (const auto& value : values) array.add(value);
  return array;
}

}  // namespace graphrun::files
