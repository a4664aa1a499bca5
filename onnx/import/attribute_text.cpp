#include "onnx/import/attribute_text.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <variant>
#include <vector>

namespace graphrun::onnx {

namespace {

std::string extent_text(const Dim& dim) {
  if (dim.is_number()) return fmt::format("{}", dim.offset);
  return to_string(dim);
}

/// An attribute's value as YAML.
struct AttributeText {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }
  std::string operator()(double value) const { return text_of(value); }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(const std::vector<std::int64_t>& values) const {
    return fmt::format("[{}]", fmt::join(values, ", "));
  }
  std::string operator()(const std::vector<double>& values) const {
    std::vector<std::string> texts;
    for (const double value : values) texts.push_back(text_of(value));
    return fmt::format("[{}]", fmt::join(texts, ", "));
  }
  std::string operator()(const Shape& shape) const {
    std::vector<std::string> texts;
    for (const Dim& dim : shape) texts.push_back(extent_text(dim));
    return fmt::format("[{}]", fmt::join(texts, ", "));
  }
  std::string operator()(const Axes& axes) const { return axes.all ? "all" : (*this)(axes.list); }
  std::string operator()(const Initializer& value) const { return value.name; }
};

}  // namespace

std::string text_of(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  if (number == std::floor(number) && std::abs(number) < 1e15) return fmt::format("{:.0f}", number);
  std::string text = fmt::format("{}", static_cast<float>(number));
  if (static_cast<double>(static_cast<float>(number)) != number && std::abs(number) < 1e-37)
    text = fmt::format("{}", number);
  return text;
}

std::string text_of(const AttributeValue& value) {
  return std::visit(AttributeText{}, value);
}

}  // namespace graphrun::onnx
