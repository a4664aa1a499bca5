#include "files/json.hpp"

#include <fmt/format.h>

#include <cmath>

namespace graphrun::files {

namespace {

void append_text(std::string& out, std::string_view text) {
  out.reserve(out.size() + text.size() + 2);
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += fmt::format("\\{}", c);
    else if (byte < 0x20)
      out += fmt::format("\\u{:04x}", byte);
    else
      out += c;
  }
  out += '"';
}

void append_enclosed(std::string& out, char opening, std::string_view body, char closing) {
  out.reserve(out.size() + body.size() + 2);
  out += opening;
  out += body;
  out += closing;
}

}  // namespace

std::string json_text(std::string_view text) {
  std::string out;
  append_text(out, text);
  return out;
}

std::string json_number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "null";
}

void JsonObject::begin(std::string_view key) {
  if (!body_.empty()) body_ += ", ";
  body_ += json_text(key);
  body_ += ": ";
}

JsonObject& JsonObject::set_raw(std::string_view key, std::string_view value) {
  begin(key);
  body_ += value;
  return *this;
}

JsonObject& JsonObject::set(std::string_view key, std::string_view value) {
  begin(key);
  append_text(body_, value);
  return *this;
}
JsonObject& JsonObject::set(std::string_view key, double value) {
  return set_raw(key, json_number(value));
}
JsonObject& JsonObject::set(std::string_view key, std::int64_t value) {
  return set_raw(key, fmt::format("{}", value));
}
JsonObject& JsonObject::set(std::string_view key, bool value) {
  return set_raw(key, value ? "true" : "false");
}
JsonObject& JsonObject::set(std::string_view key, const JsonObject& value) {
  begin(key);
  append_enclosed(body_, '{', value.body_, '}');
  return *this;
}
JsonObject& JsonObject::set(std::string_view key, const JsonArray& value) {
  begin(key);
  append_enclosed(body_, '[', value.body_, ']');
  return *this;
}
JsonObject& JsonObject::set_null(std::string_view key) {
  return set_raw(key, "null");
}

std::string JsonObject::text() const& {
  return "{" + body_ + "}";
}

std::string JsonObject::text() && {
  body_.insert(body_.begin(), '{');
  body_ += '}';
  return std::move(body_);
}

JsonArray& JsonArray::add_raw(std::string_view value) {
  if (!body_.empty()) body_ += ", ";
  body_ += value;
  return *this;
}
JsonArray& JsonArray::add(const JsonObject& value) {
  return add_raw(value.text());
}
JsonArray& JsonArray::add(const JsonArray& value) {
  return add_raw(value.text());
}
JsonArray& JsonArray::add(double value) {
  return add_raw(json_number(value));
}
JsonArray& JsonArray::add(std::string_view value) {
  return add_raw(json_text(value));
}
JsonArray& JsonArray::add(std::int64_t value) {
  return add_raw(fmt::format("{}", value));
}

std::string JsonArray::text() const {
  return "[" + body_ + "]";
}

}  // namespace graphrun::files
