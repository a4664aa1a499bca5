#include "language/expand/attributes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "errors/nearest.hpp"
#include "graph/graph.hpp"
#include "graph/initializers.hpp"
#include "language/expand/other_names.hpp"

namespace graphrun {
namespace {

[[noreturn]] void wrong(const AttributeDeclaration& declared, const Value& value, std::string fix = {}) {
  throw OpError(fmt::format("'{}' is {}, not {}", declared.name, to_string(declared.kind), described(value)),
                std::move(fix), declared.name);
}

/// "32": who writes a number in quotes means a text.
bool is_quoted_number(const Value& value) {
  if (value.text() == nullptr) return false;
  const std::string& text = *value.text();
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc() && end == text.data() + text.size();
}

constexpr const char* without_quotes = "Write it without quotes.";

std::int64_t integer_from(const Value& value, const AttributeDeclaration& declared) {
  if (const std::int64_t* integer = value.integer()) return *integer;
  wrong(declared, value,
        is_quoted_number(value) ? without_quotes
        : value.number()        ? "Write it without a point; in $( ), `//` divides integers."
                                : "");
}

std::vector<std::int64_t> integers_from(const Value& value, const AttributeDeclaration& declared) {
  if (value.list() == nullptr)
    wrong(declared, value, fmt::format("Write {}: [{}].", declared.name, to_string(value)));
  std::vector<std::int64_t> result;
  for (const Value& item : *value.list()) result.push_back(integer_from(item, declared));
  return result;
}

std::vector<double> numbers_from(const Value& value, const AttributeDeclaration& declared) {
  if (const std::optional<double> number = value.number()) return {*number};
  if (value.list() == nullptr) wrong(declared, value);
  std::vector<double> result;
  for (const Value& item : *value.list()) {
    if (!item.number()) wrong(declared, item);
    result.push_back(*item.number());
  }
  return result;
}

Axes axes_from(const Value& value, const AttributeDeclaration& declared) {
  if (value.text() != nullptr && *value.text() == "all") return {};
  if (value.integer() != nullptr) return {false, {*value.integer()}};
  if (value.list() == nullptr) {
    throw OpError(
        fmt::format("'{}' is an axis, a list of axes, or all, not {}", declared.name, described(value)), {},
        declared.name);
  }
  return {false, integers_from(value, declared)};
}

std::string word_from(const Value& value, const AttributeDeclaration& declared) {
  if (value.text() == nullptr) wrong(declared, value);
  const bool listed =
      declared.kind != AttributeKind::word ||
      std::find(declared.words.begin(), declared.words.end(), *value.text()) != declared.words.end();
  if (listed) return *value.text();
  const std::string elsewhere =
      declared.name == "dtype" ? known_elsewhere(NameOf::dtype, *value.text()) : std::string();
  throw OpError(fmt::format("'{}' cannot be '{}'", declared.name, *value.text()),
                elsewhere.empty() ? suggestion(*value.text(), declared.words) : elsewhere, declared.name);
}

Initializer initializer_from(const Value& value, const AttributeDeclaration& declared) {
  const ValueMapping* mapping = value.mapping();
  if (value.text() == nullptr && (mapping == nullptr || mapping->size() != 1)) {
    wrong(declared, value, "Write a name, or {uniform: {low: -0.1, high: 0.1}}.");
  }
  const std::string name = mapping == nullptr ? *value.text() : mapping->front().key;
  const InitializerKind* const form = find_initializer(name);
  if (form == nullptr) {
    const std::string elsewhere = known_elsewhere(NameOf::initializer, name);
    throw OpError(fmt::format("there is no initialiser '{}'", name),
                  elsewhere.empty() ? suggestion(name, initializer_names()) : elsewhere, declared.name);
  }
  Initializer result{name, {}};
  if (mapping == nullptr) return result;
  const ValueMapping* arguments = mapping->front().value.mapping();
  if (arguments == nullptr) {
    throw OpError(fmt::format("'{}' takes named numbers, not {}", name, described(mapping->front().value)),
                  form->arguments.empty()
                      ? fmt::format("Write {} alone.", name)
                      : fmt::format("Write {{{}: {{{}: …}}}}.", name, form->arguments[0].name),
                  declared.name);
  }
  for (const ValueEntry& argument : *arguments) {
    std::vector<std::string> known;
    for (const InitializerArgument& one : form->arguments) known.emplace_back(one.name);
    if (std::find(known.begin(), known.end(), argument.key) == known.end()) {
      throw OpError(fmt::format("the initialiser {} has no argument '{}'", name, argument.key),
                    suggestion(argument.key, known), declared.name);
    }
    const std::optional<double> number = argument.value.number();
    if (!number) {
      throw OpError(
          fmt::format("'{}' of {} is a number, not {}", argument.key, name, described(argument.value)), {},
          declared.name);
    }
    result.arguments.emplace_back(argument.key, *number);
  }
  return result;
}

}  // namespace

std::vector<std::string> initializer_names() {
  std::vector<std::string> names;
  for (const InitializerKind& kind : initializer_kinds()) names.emplace_back(kind.name);
  return names;
}

Shape shape_from(const Value& value, const std::string& attribute) {
  if (value.list() == nullptr) {
    throw OpError(
        fmt::format("'{}' is a shape, a list such as [batch, 784], not {}", attribute, described(value)), {},
        attribute);
  }
  Shape shape;
  for (const Value& item : *value.list()) {
    const std::int64_t* size = item.integer();
    if (item.text() != nullptr && *item.text() == "batch") {
      shape.push_back(Dim::batch());
    } else if (size != nullptr && (*size > 0 || *size == -1)) {
      shape.push_back(Dim::number(*size));
    } else if (size != nullptr) {
      throw OpError(fmt::format("a size in '{}' is at least 1, not {}", attribute, *size), {}, attribute);
    } else if (item.is_null() || (item.text() != nullptr && means_batch(*item.text()))) {
      throw OpError(
          fmt::format("a size in '{}' is an integer or `batch`, not {}", attribute, described(item)),
          "The number of examples is written batch, as in [batch, 784].", attribute);
    } else {
      const bool product = item.text() != nullptr && item.text()->find("batch") != std::string::npos;
      throw OpError(
          fmt::format("a size in '{}' is an integer or `batch`, not {}", attribute, described(item)),
          product                  ? "The batch stands alone; it is never multiplied."
          : item.number()          ? "Write it without a point; in $( ), `//` divides integers."
          : is_quoted_number(item) ? without_quotes
          : item.text() != nullptr ? "A value is written $name."
                                   : "",
          attribute);
    }
  }
  return shape;
}

AttributeValue attribute_from(const Value& value, const AttributeDeclaration& declared) {
  if (value.schedule() != nullptr) {
    throw OpError(
        fmt::format("'{}' is fixed when the model is built and cannot follow a schedule", declared.name),
        "Make the schedule a node of its own and use it in a formula.", declared.name);
  }
  switch (declared.kind) {
    case AttributeKind::flag:
      if (value.flag() == nullptr) wrong(declared, value);
      return *value.flag();
    case AttributeKind::integer:
      return integer_from(value, declared);
    case AttributeKind::number:
      if (!value.number()) wrong(declared, value);
      return *value.number();
    case AttributeKind::text:
    case AttributeKind::word:
      return word_from(value, declared);
    case AttributeKind::integers:
      return integers_from(value, declared);
    case AttributeKind::integer_or_list:
      if (value.list() != nullptr) return integers_from(value, declared);
      return integer_from(value, declared);
    case AttributeKind::numbers:
      return numbers_from(value, declared);
    case AttributeKind::shape:
      return shape_from(value, declared.name);
    case AttributeKind::axes:
      return axes_from(value, declared);
    case AttributeKind::initializer:
      return initializer_from(value, declared);
  }
  return false;
}

}  // namespace graphrun
