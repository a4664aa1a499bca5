// Values as the kinds that ops declare: with messages that say what to write instead.
#include <fmt/format.h>

#include <algorithm>

#include "errors/nearest.hpp"
#include "graph/initializers.hpp"
#include "language/expand/expander.hpp"
#include "language/expand/other_names.hpp"

namespace graphrun {
namespace {

[[noreturn]] void wrong(const AttributeSpec& spec, const Value& value, std::string fix = {}) {
  throw OpError(fmt::format("'{}' is {}, not {}", spec.name, to_string(spec.kind), described(value)),
                std::move(fix), spec.name);
}

std::int64_t integer_from(const Value& value, const AttributeSpec& spec) {
  if (const std::int64_t* integer = value.integer()) return *integer;
  wrong(spec, value, value.number() ? "Write it without a point; in $( ), `//` divides integers." : "");
}

std::vector<std::int64_t> integers_from(const Value& value, const AttributeSpec& spec) {
  if (value.list() == nullptr)
    wrong(spec, value, fmt::format("Write {}: [{}].", spec.name, to_string(value)));
  std::vector<std::int64_t> result;
  for (const Value& item : *value.list()) result.push_back(integer_from(item, spec));
  return result;
}

std::vector<double> numbers_from(const Value& value, const AttributeSpec& spec) {
  if (const std::optional<double> number = value.number()) return {*number};
  if (value.list() == nullptr) wrong(spec, value);
  std::vector<double> result;
  for (const Value& item : *value.list()) {
    if (!item.number()) wrong(spec, item);
    result.push_back(*item.number());
  }
  return result;
}

Axes axes_from(const Value& value, const AttributeSpec& spec) {
  if (value.text() != nullptr && *value.text() == "all") return {};
  if (value.integer() != nullptr) return {false, {*value.integer()}};
  if (value.list() == nullptr) {
    throw OpError(fmt::format("'{}' is an axis, a list of axes, or all, not {}", spec.name, described(value)),
                  {}, spec.name);
  }
  return {false, integers_from(value, spec)};
}

std::string word_from(const Value& value, const AttributeSpec& spec) {
  if (value.text() == nullptr) wrong(spec, value);
  const bool listed = spec.kind != AttributeKind::word ||
                      std::find(spec.words.begin(), spec.words.end(), *value.text()) != spec.words.end();
  if (listed) return *value.text();
  const std::string elsewhere =
      spec.name == "dtype" ? known_elsewhere(NameOf::dtype, *value.text()) : std::string();
  throw OpError(fmt::format("'{}' cannot be '{}'", spec.name, *value.text()),
                elsewhere.empty() ? suggestion(*value.text(), spec.words) : elsewhere, spec.name);
}

Initializer initializer_from(const Value& value, const AttributeSpec& spec) {
  const ValueMapping* mapping = value.mapping();
  if (value.text() == nullptr && (mapping == nullptr || mapping->size() != 1)) {
    wrong(spec, value, "Write a name, or {uniform: {low: -0.1, high: 0.1}}.");
  }
  const std::string name = mapping == nullptr ? *value.text() : mapping->front().key;
  const InitializerKind* const form = find_initializer(name);
  if (form == nullptr) {
    const std::string elsewhere = known_elsewhere(NameOf::initializer, name);
    throw OpError(fmt::format("there is no initialiser '{}'", name),
                  elsewhere.empty() ? suggestion(name, initializer_names()) : elsewhere, spec.name);
  }
  Initializer result{name, {}};
  if (mapping == nullptr) return result;
  const ValueMapping* arguments = mapping->front().value.mapping();
  if (arguments == nullptr) {
    throw OpError(fmt::format("'{}' takes named numbers, not {}", name, described(mapping->front().value)),
                  form->arguments.empty()
                      ? fmt::format("Write {} alone.", name)
                      : fmt::format("Write {{{}: {{{}: …}}}}.", name, form->arguments[0].name),
                  spec.name);
  }
  for (const ValueEntry& argument : *arguments) {
    std::vector<std::string> known;
    for (const InitializerArgument& one : form->arguments) known.emplace_back(one.name);
    if (std::find(known.begin(), known.end(), argument.key) == known.end()) {
      throw OpError(fmt::format("the initialiser {} has no argument '{}'", name, argument.key),
                    suggestion(argument.key, known), spec.name);
    }
    const std::optional<double> number = argument.value.number();
    if (!number) {
      throw OpError(
          fmt::format("'{}' of {} is a number, not {}", argument.key, name, described(argument.value)), {},
          spec.name);
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
          product         ? "The batch stands alone; it is never multiplied."
          : item.number() ? "Write it without a point; in $( ), `//` divides integers."
                          : "A value is written $name.",
          attribute);
    }
  }
  return shape;
}

AttributeValue attribute_from(const Value& value, const AttributeSpec& spec) {
  if (value.schedule() != nullptr) {
    throw OpError(
        fmt::format("'{}' is fixed when the model is built and cannot follow a schedule", spec.name),
        "Make the schedule a node of its own and use it in a formula.", spec.name);
  }
  switch (spec.kind) {
    case AttributeKind::flag:
      if (value.flag() == nullptr) wrong(spec, value);
      return *value.flag();
    case AttributeKind::integer:
      return integer_from(value, spec);
    case AttributeKind::number:
      if (!value.number()) wrong(spec, value);
      return *value.number();
    case AttributeKind::text:
    case AttributeKind::word:
      return word_from(value, spec);
    case AttributeKind::integers:
      return integers_from(value, spec);
    case AttributeKind::numbers:
      return numbers_from(value, spec);
    case AttributeKind::shape:
      return shape_from(value, spec.name);
    case AttributeKind::axes:
      return axes_from(value, spec);
    case AttributeKind::initializer:
      return initializer_from(value, spec);
  }
  return false;
}

}  // namespace graphrun
