#include "graph/attribute.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "graphrun/error.hpp"

namespace graphrun {
namespace {

template <class... Lambdas>
struct Overloaded : Lambdas... {
  using Lambdas::operator()...;
};
template <class... Lambdas>
Overloaded(Lambdas...) -> Overloaded<Lambdas...>;

template <class T>
std::string list_text(const std::vector<T>& list) {
  std::string text = "[";
  for (const T& item : list) text += fmt::format("{}{}", text.size() > 1 ? ", " : "", item);
  return text + "]";
}

std::string initializer_text(const Initializer& initializer) {
  if (initializer.arguments.empty()) return initializer.name;
  std::string arguments;
  for (const auto& [name, value] : initializer.arguments) {
    arguments += fmt::format("{}{}: {}", arguments.empty() ? "" : ", ", name, value);
  }
  return fmt::format("{{{}: {{{}}}}}", initializer.name, arguments);
}

}  // namespace

AttributeValue::AttributeValue(const AttributeValue& other) = default;
AttributeValue::AttributeValue(AttributeValue&& other) noexcept = default;
AttributeValue& AttributeValue::operator=(const AttributeValue& other) = default;
AttributeValue& AttributeValue::operator=(AttributeValue&& other) noexcept = default;
AttributeValue::~AttributeValue() = default;

std::string to_string(const AttributeValue& value) {
  return std::visit(
      Overloaded{[](bool flag) -> std::string { return flag ? "true" : "false"; },
                 [](std::int64_t integer) { return std::to_string(integer); },
                 [](double number) { return fmt::format("{}", number); },
                 [](const std::string& text) { return text; },
                 [](const std::vector<std::int64_t>& list) { return list_text(list); },
                 [](const std::vector<double>& list) { return list_text(list); },
                 [](const Shape& shape) { return to_string(shape); },
                 [](const Axes& axes) { return axes.all ? std::string("all") : list_text(axes.list); },
                 [](const Initializer& initializer) { return initializer_text(initializer); }},
      value);
}

std::string_view to_string(AttributeKind kind) {
  constexpr std::array<std::string_view, 11> names = {"true or false",
                                                      "an integer",
                                                      "a number",
                                                      "a text",
                                                      "a word",
                                                      "a list of integers",
                                                      "a list of numbers",
                                                      "a shape",
                                                      "axes",
                                                      "an initialiser",
                                                      "an integer or a list of integers"};
  return names.at(static_cast<std::size_t>(kind));
}

Attributes::Attributes() = default;
Attributes::Attributes(std::initializer_list<std::pair<std::string, AttributeValue>> entries)
    : entries_(entries) {}
Attributes::Attributes(const Attributes& other) = default;
Attributes::Attributes(Attributes&& other) noexcept = default;
Attributes& Attributes::operator=(const Attributes& other) = default;
Attributes& Attributes::operator=(Attributes&& other) noexcept = default;
Attributes::~Attributes() = default;
bool operator==(const Attributes& left, const Attributes& right) = default;

void Attributes::set(std::string_view name, AttributeValue value) {
  for (auto& [key, existing] : entries_) {
    if (key != name) continue;
    existing = std::move(value);
    return;
  }
  entries_.emplace_back(name, std::move(value));
}

const AttributeValue* Attributes::find(std::string_view name) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [name](const auto& entry) { return entry.first == name; });
  return found == entries_.end() ? nullptr : &found->second;
}

template <class T>
const T& Attributes::get(std::string_view name) const {
  const AttributeValue* value = find(name);
  const T* typed = value == nullptr ? nullptr : std::get_if<T>(value);
  if (typed == nullptr) {
    throw Error(ErrorCode::internal, fmt::format("attribute '{}' is missing or of another kind", name));
  }
  return *typed;
}

bool Attributes::flag(std::string_view name) const {
  return get<bool>(name);
}
std::int64_t Attributes::integer(std::string_view name) const {
  return get<std::int64_t>(name);
}
const std::string& Attributes::text(std::string_view name) const {
  return get<std::string>(name);
}
const std::vector<std::int64_t>& Attributes::integers(std::string_view name) const {
  return get<std::vector<std::int64_t>>(name);
}
const std::vector<double>& Attributes::numbers(std::string_view name) const {
  return get<std::vector<double>>(name);
}
const Shape& Attributes::shape(std::string_view name) const {
  return get<Shape>(name);
}
const Axes& Attributes::axes(std::string_view name) const {
  return get<Axes>(name);
}
const Initializer& Attributes::initializer(std::string_view name) const {
  return get<Initializer>(name);
}

double Attributes::number(std::string_view name) const {
  const AttributeValue* value = find(name);
  if (value != nullptr && std::holds_alternative<std::int64_t>(*value)) {
    return static_cast<double>(std::get<std::int64_t>(*value));
  }
  return get<double>(name);
}

}  // namespace graphrun
