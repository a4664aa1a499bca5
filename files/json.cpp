#include "files/json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace graphrun::files {

JsonValue::JsonValue(std::string_view text)
    : text_(nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)) {}

JsonValue::JsonValue(JsonObject object) : text_(std::move(object).text()) {}

JsonValue::JsonValue(JsonArray array) : text_(array.text()) {}

std::string JsonValue::digits(double number) {
  return std::isfinite(number) ? fmt::format("{}", number) : "null";
}

JsonObject& JsonObject::set(std::string_view key, const JsonValue& value) {
  if (body_.size() > 1) body_ += ", ";
  body_ += JsonValue(key).text();
  body_ += ": ";
  body_ += value.text();
  return *this;
}

std::string JsonObject::text() const& {
  return body_ + "}";
}

std::string JsonObject::text() && {
  body_ += '}';
  return std::move(body_);
}

JsonArray& JsonArray::add(const JsonValue& value) {
  if (body_.size() > 1) body_ += ", ";
  body_ += value.text();
  return *this;
}

}  // namespace graphrun::files
