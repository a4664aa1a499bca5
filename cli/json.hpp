/// \file
/// Writes the one JSON object that --json prints. Keys keep the order in which they were set.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace graphrun::cli {

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
  std::string text() const;  ///< on one line, without a newline

 private:
  JsonObject& set_raw(std::string_view key, const std::string& value);
  std::string body_;
};

class JsonArray {
 public:
  JsonArray& add(const JsonObject& value);
  JsonArray& add(std::string_view value);
  JsonArray& add(std::int64_t value);
  std::string text() const;

 private:
  JsonArray& add_raw(const std::string& value);
  std::string body_;
};

}  // namespace graphrun::cli
