#include "language/values/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace graphrun {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

std::string lowered(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

/// Digits, at most one point, an optional exponent; at least one digit in front.
bool is_decimal(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&text, &i] {
    const std::size_t start = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i > start;
  };
  bool any = digits();
  if (i < text.size() && text[i] == '.') {
    ++i;
    any = digits() || any;
  }
  if (!any) return false;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (!digits()) return false;
  }
  return i == text.size();
}

NumberReading mistaken(std::string mistake, std::string fix) {
  return {std::nullopt, std::move(mistake), std::move(fix)};
}

NumberReading read_integer(std::string_view text, std::string_view digits) {
  if (digits.size() > 1 && digits.front() == '0') {
    const std::size_t first = std::min(digits.find_first_not_of('0'), digits.size() - 1);
    return mistaken(fmt::format("'{}' starts with a zero, which some readers take as octal", text),
                    fmt::format("Write {}{}.", text.size() > digits.size() ? "-" : "", digits.substr(first)));
  }
  std::int64_t integer = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), integer);
  if (error != std::errc{}) {
    return mistaken(fmt::format("the integer {} is too large", text), "Write it as a float: with a point.");
  }
  return {Value{integer}, {}, {}};
}

/// Forms that other YAML readers take as numbers and we do not.
NumberReading foreign_number(std::string_view text, std::string_view body) {
  const std::string low = lowered(body);
  if (low == ".inf" || low == "inf" || low == ".nan" || low == "nan") {
    return mistaken(fmt::format("'{}' is no finite number", text), "Write a finite number.");
  }
  const bool prefixed = low.size() > 2 && low[0] == '0' && (low[1] == 'x' || low[1] == 'o' || low[1] == 'b');
  if (prefixed && is_digit(low[2])) {
    return mistaken(fmt::format("'{}' is not decimal", text), "Write the number in decimal.");
  }
  std::string without(body);
  std::erase(without, '_');
  if (without.size() < body.size() && is_digit(body.front()) && is_decimal(without)) {
    return mistaken(fmt::format("'{}' has an underscore", text), fmt::format("Write {}.", without));
  }
  return {};
}

}  // namespace

std::optional<double> Value::number() const {
  if (const std::int64_t* whole = integer()) return static_cast<double>(*whole);
  if (const double* real = std::get_if<double>(&data)) return *real;
  return std::nullopt;
}

namespace {

const Value& value_of(const Value& item) {
  return item;
}
const Value& value_of(const ValueEntry& entry) {
  return entry.value;
}

}  // namespace

template <class Items>
Shared<Items>::Shared(Items items) {
  Content content{std::move(items)};
  for (const auto& item : content.items) {
    // Shared parts count each time: their number can double with each level, up to no more than this.
    content.elements = std::min(content.elements + element_total(value_of(item)), 2 * largest_value);
    content.depth = std::max(content.depth, 1 + depth_of(value_of(item)));
  }
  content_ = std::make_shared<const Content>(std::move(content));
}
template class Shared<ValueList>;
template class Shared<ValueMapping>;

std::size_t element_total(const Value& value) {
  if (const auto* list = std::get_if<Shared<ValueList>>(&value.data)) return list->elements();
  if (const auto* mapping = std::get_if<Shared<ValueMapping>>(&value.data)) return mapping->elements();
  return 1;
}

int depth_of(const Value& value) {
  if (const auto* list = std::get_if<Shared<ValueList>>(&value.data)) return list->depth();
  if (const auto* mapping = std::get_if<Shared<ValueMapping>>(&value.data)) return mapping->depth();
  return 0;
}

std::string excess(const Value& value) {
  if (element_total(value) > largest_value)
    return fmt::format("the list has more than {} elements", largest_value);
  if (depth_of(value) > deepest_value)
    return fmt::format("lists lie more than {} deep in each other", deepest_value);
  return {};
}

bool operator==(const Value& a, const Value& b) {
  if (a.data.index() != b.data.index()) return false;
  if (const double* number = std::get_if<double>(&a.data)) return *number == std::get<double>(b.data);
  const ValueList* list = a.list();
  if (list != nullptr) return *list == *b.list();
  return to_string(a) == to_string(b);  // an integer, a text, …: the text says all
}

std::string to_string(const Value& value) {
  if (value.is_null()) return "null";
  if (const bool* flag = value.flag()) return *flag ? "true" : "false";
  if (const std::int64_t* integer = value.integer()) return fmt::format("{}", *integer);
  if (const std::string* text = value.text()) return *text;
  if (const ValueList* list = value.list()) {
    std::string joined;
    for (const Value& item : *list) joined += (joined.empty() ? "" : ", ") + to_string(item);
    return "[" + joined + "]";
  }
  if (const ValueMapping* mapping = value.mapping()) {
    std::string joined;
    for (const ValueEntry& entry : *mapping) {
      joined += fmt::format("{}{}: {}", joined.empty() ? "" : ", ", entry.key, to_string(entry.value));
    }
    return "{" + joined + "}";
  }
  if (const Schedule* schedule = value.schedule()) return to_string(*schedule);
  if (const ParameterName* parameter = value.parameter()) return parameter->name;
  return fmt::format("{}", *value.number());
}

std::string_view kind_name(const Value& value) {
  constexpr std::array<std::string_view, 9> names = {"nothing",   "true or false", "an integer",
                                                     "a number",  "a text",        "a list",
                                                     "a mapping", "a schedule",    "a parameter"};
  return names.at(value.data.index());
}

std::string described(const Value& value) {
  if (value.is_null()) return "nothing";
  if (value.list() != nullptr) {
    const std::string text = to_string(value);
    return text.size() <= 60 ? fmt::format("the list {}", text) : "a list";
  }
  if (value.text() != nullptr) return fmt::format("the text '{}'", to_string(value));
  if (value.mapping() != nullptr || value.schedule() != nullptr || value.parameter() != nullptr) {
    return std::string(kind_name(value));
  }
  if (value.integer() != nullptr) return fmt::format("the integer {}", to_string(value));
  return value.flag() != nullptr ? to_string(value) : fmt::format("the number {}", to_string(value));
}

NumberReading read_number(std::string_view text) {
  std::string_view body = text;
  const bool sign = !body.empty() && (body.front() == '-' || body.front() == '+');
  if (sign) body.remove_prefix(1);
  if (body.empty()) return {};
  const std::string_view plain =
      !text.empty() && text.front() == '+' ? body : text;  // from_chars takes no plus
  if (all_digits(body)) return read_integer(plain, body);
  if (!is_decimal(body)) return foreign_number(text, body);
  double number = 0;
  const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), number);
  if (error != std::errc{} || !std::isfinite(number)) {
    return mistaken(fmt::format("the number {} is out of range", text), "Write a finite number.");
  }
  return {Value{number}, {}, {}};
}

Value read_scalar(const YamlNode& scalar, Diagnostics& diagnostics) {
  const std::string& text = scalar.text;
  if (scalar.is_empty()) return {};
  if (scalar.quoted) return {text};
  if (text == "true" || text == "false") return {text == "true"};
  if (text == "null" || text == "Null" || text == "NULL" || text == "~") return {};
  const std::string low = lowered(text);
  const bool yes = low == "yes" || low == "on" || low == "true";
  if (yes || low == "no" || low == "off" || low == "false") {
    diagnostics.error(
        scalar.place,
        fmt::format("'{}' is {} to some readers of YAML and a text to others", text, yes ? "true" : "false"),
        fmt::format("Write {}, or \"{}\" for the text.", yes ? "true" : "false", text));
    return {text};
  }
  NumberReading reading = read_number(text);
  if (reading.value) return *reading.value;
  if (!reading.mistake.empty()) diagnostics.error(scalar.place, reading.mistake, reading.fix);
  return {text};
}

}  // namespace graphrun
