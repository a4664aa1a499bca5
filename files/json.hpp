/// \file
/// Writes JSON on one line, value by value: what --json prints, metrics.jsonl, the data of a report. Keys
/// keep the order in which they were set. (Reading it is another matter: see safetensors_header.hpp.)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace graphrun::files {

/// Text in quotes, with escapes for what JSON does not allow in it.
std::string json_text(std::string_view text);
/// The shortest digits that read back as the same number, in every locale; not finite: null.
std::string json_number(double value);

class JsonArray;

class JsonObject {
 public:
  JsonObject& set(std::string_view key, std::string_view value);
  JsonObject& set(std::string_view key, const char* value) { return set(key, std::string_view(value)); }
  JsonObject& set(std::string_view key, double value);  ///< not finite: null
  JsonObject& set(std::string_view key, std::int64_t value);
  JsonObject& set(std::string_view key, bool value);
  JsonObject& set(std::string_view key, const JsonObject& value);
  JsonObject& set(std::string_view key, const JsonArray& value);
  JsonObject& set_null(std::string_view key);
  std::string text() const&;  ///< without a newline
  std::string text() &&;      ///< the same of one that is done with, without a copy: texts may be megabytes

 private:
  friend class JsonArray;
  JsonObject& set_raw(std::string_view key, std::string_view value);
  void begin(std::string_view key);
  std::string body_;
};

class JsonArray {
 public:
  JsonArray& add(const JsonObject& value);
  JsonArray& add(const JsonArray& value);
  JsonArray& add(std::string_view value);
  JsonArray& add(const char* value) { return add(std::string_view(value)); }
  JsonArray& add(double value);  ///< not finite: null
  JsonArray& add(std::int64_t value);
  std::string text() const;

 private:
  friend class JsonObject;
  JsonArray& add_raw(std::string_view value);
  std::string body_;
};

/// An array of a value for each element.
template <class Values>
JsonArray json_array(const Values& values) {
  JsonArray array;
  for (const auto& value : values) {
    if constexpr (std::is_floating_point_v<std::decay_t<decltype(value)>>)
      array.add(static_cast<double>(value));
    else if constexpr (std::is_integral_v<std::decay_t<decltype(value)>>)
      array.add(static_cast<std::int64_t>(value));
    else
      array.add(value);
  }
  return array;
}

}  // namespace graphrun::files
