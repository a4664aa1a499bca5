#include "language/recipe/section_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "errors/nearest.hpp"
#include "graph/range_fault.hpp"
#include "language/expand/scope_values.hpp"

namespace graphrun {

const YamlNode* SectionReader::find(std::string_view key) const {
  const YamlNode* node = section_.find(key);
  return node != nullptr && !node->is_empty() ? node : nullptr;
}

void SectionReader::wrong(const YamlNode& at, const std::string& message, std::string fix) {
  expansion_.diagnostics.error(at.place, message, std::move(fix));
}

bool SectionReader::is_mapping(std::string_view said, std::string example) {
  if (section_.is_mapping()) return true;
  wrong(section_, fmt::format("{}, not {}", said, describe_kind(section_)), std::move(example));
  return false;
}

std::optional<Value> SectionReader::value(std::string_view key) {
  const YamlNode* node = find(key);
  return node == nullptr ? std::nullopt : value_of(expansion_.top, *node);
}

std::optional<std::int64_t> SectionReader::integer(const Key& key) {
  const std::optional<Value> read = value(key.name);
  if (!read) return std::nullopt;
  const std::int64_t* integer = read->integer();
  if (integer != nullptr && key.range.contains(static_cast<double>(*integer))) return *integer;
  wrong(*find(key.name), integer != nullptr
                             ? fmt::format("'{}' is {}, not {}", key.name, to_string(key.range), *integer)
                             : fmt::format("'{}' is an integer, not {}", key.name, described(*read)));
  return std::nullopt;
}

std::optional<double> SectionReader::number(const Key& key) {
  const std::optional<Value> read = value(key.name);
  if (!read) return std::nullopt;
  const std::optional<double> number = read->number();
  const std::string fault = number ? range_fault(key.range, *number) : std::string();
  if (number && fault.empty()) return number;
  wrong(*find(key.name), number ? fmt::format("'{}' is {}", key.name, fault)
                                : fmt::format("'{}' is a number, not {}", key.name, described(*read)));
  return std::nullopt;
}

std::optional<bool> SectionReader::flag(const Key& key) {
  const std::optional<Value> read = value(key.name);
  if (!read) return std::nullopt;
  if (read->flag() != nullptr) return *read->flag();
  wrong(*find(key.name), fmt::format("'{}' is true or false, not {}", key.name, described(*read)));
  return std::nullopt;
}

std::optional<Schedule> SectionReader::schedule(const Key& key) {
  const std::optional<Value> read = value(key.name);
  if (!read) return std::nullopt;
  const std::optional<double> number = read->number();
  const std::optional<Schedule> schedule = read->schedule() != nullptr ? std::optional(*read->schedule())
                                           : number ? std::optional(Schedule::constant(*number))
                                                    : std::nullopt;
  if (schedule) {
    // What grows may end long before it is infinite: where it goes too far, the step says so.
    std::string fault;
    for (const double end : ends_of(*schedule))
      if (fault.empty() && std::isfinite(end)) fault = range_fault(key.range, end);
    if (fault.empty()) return schedule;
    wrong(*find(key.name), fmt::format("'{}' is {}", key.name, fault));
    return std::nullopt;
  }
  std::vector<std::string> schedules;
  for (const Section& known : schedule_sections()) schedules.push_back(known.name);
  const bool mapping = read->mapping() != nullptr && read->mapping()->size() == 1;
  wrong(*find(key.name), fmt::format("'{}' is a number or a schedule, not {}", key.name, described(*read)),
        mapping ? suggestion(read->mapping()->front().key, schedules) : "");
  return std::nullopt;
}

std::optional<std::string> SectionReader::word(const Key& key) {
  const YamlNode* node = find(key.name);
  if (node == nullptr) return std::nullopt;
  if (node->is_scalar() && std::ranges::find(key.words, node->text) != key.words.end()) return node->text;
  wrong(*node,
        fmt::format("`{}:` is {} or {}, not {}", key.name,
                    fmt::join(key.words.begin(), std::prev(key.words.end()), ", "), key.words.back(),
                    describe_kind(*node)),
        suggestion(node->text, key.words));
  return std::nullopt;
}

void SectionReader::read_into(const Key& key, bool& field) {
  if (key.kind != KeyKind::word) {
    field = flag(key).value_or(field);
  } else if (const std::optional<std::string> read = word(key)) {
    field = *read == key.words.front();
  }
}
void SectionReader::read_into(const Key& key, std::int64_t& field) {
  field = integer(key).value_or(field);
}
void SectionReader::read_into(const Key& key, std::uint64_t& field) {
  if (const std::optional<std::int64_t> read = integer(key)) field = static_cast<std::uint64_t>(*read);
}
void SectionReader::read_into(const Key& key, double& field) {
  field = number(key).value_or(field);
}
void SectionReader::read_into(const Key& key, std::optional<std::int64_t>& field) {
  if (const std::optional<std::int64_t> read = integer(key)) field = read;
}
void SectionReader::read_into(const Key& key, std::optional<double>& field) {
  if (const std::optional<double> read = number(key)) field = read;
}
void SectionReader::read_into(const Key& key, Schedule& field) {
  field = schedule(key).value_or(field);
}
void SectionReader::read_into(const Key& key, Precision& field) {
  if (const std::optional<std::string> read = word(key)) field = *precision_named(*read);
}

std::vector<std::string> SectionReader::names(std::string_view key, const std::vector<std::string>& known,
                                              const std::string& what) {
  const YamlNode* node = find(key);
  if (node == nullptr) return {};
  if (!node->is_sequence()) {
    wrong(*node, fmt::format("`{}:` is a list of names, not {}", key, describe_kind(*node)),
          node->is_scalar() ? fmt::format("Write {}: [{}].", key, node->text) : "");
    return {};
  }
  if (node->items.empty()) wrong(*node, fmt::format("`{}:` names no {}", key, what), suggestion("", known));
  std::vector<std::string> result;
  for (const YamlNode& item : node->items)
    if (is_one_of(item, known, what, "a name is expected")) result.push_back(item.text);
  return result;
}

std::optional<std::string> SectionReader::name(std::string_view key, const std::vector<std::string>& known,
                                               const std::string& what) {
  const YamlNode* node = find(key);
  if (node == nullptr || !is_one_of(*node, known, what, fmt::format("`{}:` is a name", key)))
    return std::nullopt;
  return node->text;
}

bool SectionReader::is_one_of(const YamlNode& node, const std::vector<std::string>& known,
                              const std::string& what, const std::string& expected) {
  if (!node.is_scalar()) {
    wrong(node, fmt::format("{}, not {}", expected, describe_kind(node)));
    return false;
  }
  if (std::ranges::find(known, node.text) != known.end()) return true;
  wrong(node, fmt::format("there is no {} '{}'", what, node.text), suggestion(node.text, known));
  return false;
}

}  // namespace graphrun
