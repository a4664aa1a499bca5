#include "language/recipe/section_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "errors/nearest.hpp"

namespace graphrun {

const YamlNode* SectionReader::find(const char* key) const {
  const YamlNode* node = section_.find(key);
  return node != nullptr && !node->is_empty() ? node : nullptr;
}

void SectionReader::wrong(const YamlNode& at, const std::string& message, std::string fix) {
  expander_.diagnostics().error(at.place, message, std::move(fix));
}

std::optional<Value> SectionReader::value(const char* key) {
  const YamlNode* node = find(key);
  return node == nullptr ? std::nullopt : expander_.value(expander_.top(), *node);
}

std::optional<std::int64_t> SectionReader::count(const char* key, std::int64_t least) {
  const std::optional<Value> read = value(key);
  if (!read) return std::nullopt;
  const std::int64_t* integer = read->integer();
  if (integer != nullptr && *integer >= least) return *integer;
  wrong(*find(key), integer != nullptr ? fmt::format("'{}' is at least {}, not {}", key, least, *integer)
                                       : fmt::format("'{}' is an integer, not {}", key, described(*read)));
  return std::nullopt;
}

std::optional<double> SectionReader::positive(const char* key) {
  const std::optional<Value> read = value(key);
  if (!read) return std::nullopt;
  const std::optional<double> number = read->number();
  if (number && *number > 0) return number;
  wrong(*find(key), fmt::format("'{}' is a number greater than 0, not {}", key, described(*read)));
  return std::nullopt;
}

std::optional<bool> SectionReader::flag(const char* key) {
  const std::optional<Value> read = value(key);
  if (!read) return std::nullopt;
  if (read->flag() != nullptr) return *read->flag();
  wrong(*find(key), fmt::format("'{}' is true or false, not {}", key, described(*read)));
  return std::nullopt;
}

std::optional<Schedule> SectionReader::schedule(const char* key) {
  const YamlNode* node = find(key);
  const std::optional<Value> read = value(key);
  if (!read) return std::nullopt;
  if (read->schedule() != nullptr) return *read->schedule();
  const std::optional<double> number = read->number();
  if (number && *number >= 0) return Schedule::constant(*number);
  static const std::vector<std::string> schedules = {"linear", "cosine", "step", "warmup"};
  const bool mapping = read->mapping() != nullptr && read->mapping()->size() == 1;
  wrong(*node,
        number ? fmt::format("'{}' is not negative", key)
               : fmt::format("'{}' is a number or a schedule, not {}", key, described(*read)),
        mapping ? suggestion(read->mapping()->front().key, schedules) : "");
  return std::nullopt;
}

std::optional<bool> SectionReader::choice(const char* key, const std::string& first,
                                          const std::string& second) {
  const YamlNode* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (node->is_scalar() && (node->text == first || node->text == second)) return node->text == first;
  const std::vector<std::string> choices = {first, second};
  wrong(*node, fmt::format("`{}:` is {} or {}, not {}", key, first, second, describe_kind(*node)),
        suggestion(node->text, choices));
  return std::nullopt;
}

std::vector<std::string> SectionReader::names(const char* key, const std::vector<std::string>& known,
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
  for (const YamlNode& item : node->items) {
    if (item.is_scalar() && std::find(known.begin(), known.end(), item.text) != known.end()) {
      result.push_back(item.text);
    } else {
      wrong(item,
            item.is_scalar() ? fmt::format("there is no {} '{}'", what, item.text)
                             : fmt::format("a name is expected, not {}", describe_kind(item)),
            item.is_scalar() ? suggestion(item.text, known) : "");
    }
  }
  return result;
}

std::optional<std::string> SectionReader::name(const char* key, const std::vector<std::string>& known,
                                               const std::string& what) {
  const YamlNode* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (node->is_scalar() && std::find(known.begin(), known.end(), node->text) != known.end())
    return node->text;
  wrong(*node,
        node->is_scalar() ? fmt::format("there is no {} '{}'", what, node->text)
                          : fmt::format("`{}:` is a name, not {}", key, describe_kind(*node)),
        node->is_scalar() ? suggestion(node->text, known) : "");
  return std::nullopt;
}

}  // namespace graphrun
