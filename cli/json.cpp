#include "cli/json.hpp"

#include <fmt/format.h>

#include <cmath>

namespace graphrun::cli {

namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += fmt::format("\\{}", c);
    else if (byte < 0x20)
      out += fmt::format("\\u{:04x}", byte);
    else
      out += c;
  }
  return out + '"';
}

/// The shortest digits that read back as the same double; fmt does not look at the locale.
std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "null";
}

}  // namespace

JsonObject& JsonObject::set_raw(std::string_view key, const std::string& value) {
  body_ += fmt::format("{}{}: {}", body_.empty() ? "" : ", ", quoted(key), value);
  return *this;
}

JsonObject& JsonObject::set(std::string_view key, std::string_view value) {
  return set_raw(key, quoted(value));
}
JsonObject& JsonObject::set(std::string_view key, double value) {
  return set_raw(key, number(value));
}
JsonObject& JsonObject::set(std::string_view key, std::int64_t value) {
  return set_raw(key, fmt::format("{}", value));
}
JsonObject& JsonObject::set(std::string_view key, bool value) {
  return set_raw(key, value ? "true" : "false");
}
JsonObject& JsonObject::set(std::string_view key, const JsonObject& value) {
  return set_raw(key, value.text());
}
JsonObject& JsonObject::set(std::string_view key, const JsonArray& value) {
  return set_raw(key, value.text());
}

std::string JsonObject::text() const {
  return "{" + body_ + "}";
}

JsonArray& JsonArray::add_raw(const std::string& value) {
  body_ += (body_.empty() ? "" : ", ") + value;
  return *this;
}
JsonArray& JsonArray::add(const JsonObject& value) {
  return add_raw(value.text());
}
JsonArray& JsonArray::add(std::string_view value) {
  return add_raw(quoted(value));
}
JsonArray& JsonArray::add(std::int64_t value) {
  return add_raw(fmt::format("{}", value));
}

std::string JsonArray::text() const {
  return "[" + body_ + "]";
}

}  // namespace graphrun::cli
