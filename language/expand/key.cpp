#include "language/expand/key.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "errors/nearest.hpp"

namespace graphrun {
namespace {

bool is_also(const Key& key, std::string_view word) {
  return std::find(key.also.begin(), key.also.end(), word) != key.also.end();
}

const Key* called_otherwise(const Section& section, std::string_view word) {
  const auto found = std::find_if(section.keys.begin(), section.keys.end(),
                                  [word](const Key& key) { return is_also(key, word); });
  return found == section.keys.end() ? nullptr : &*found;
}

/// Where a key belongs that this section has not; empty when no section has it.
std::string right_place(std::string_view word, const Section& section, std::span<const Section> others) {
  for (const Section& other : others)
    if (other.place != section.place && other.find(word) != nullptr)
      return fmt::format("Write it {}.", other.place);
  for (const Section& other : others)
    if (const Key* key = called_otherwise(other, word); key != nullptr && other.place != section.place)
      return fmt::format("It is called `{}`, and written {}.", key->name, other.place);
  return {};
}

std::string advice(std::string_view word, const Section& section, std::span<const Section> others) {
  if (const Key* key = called_otherwise(section, word)) return fmt::format("Write `{}:`.", key->name);
  std::string place = right_place(word, section, others);
  return place.empty() ? suggestion(word, section.key_names()) : place;
}

std::vector<Section> make_schedule_sections() {
  const Key from{.name = "from",
                 .kind = KeyKind::number,
                 .doc = "the first value",
                 .range = finite(),
                 .required = true,
                 .also = {"start", "begin", "initial"}};
  const Key to{.name = "to",
               .kind = KeyKind::number,
               .doc = "the last value",
               .range = finite(),
               .required = true,
               .also = {"end", "final"}};
  const Key factor{.name = "factor",
                   .kind = KeyKind::number,
                   .doc = "what the value is multiplied by after each length",
                   .range = finite(),
                   .required = true,
                   .also = {"gamma", "decay"}};
  const Key epochs{.name = "epochs",
                   .kind = KeyKind::number,
                   .doc = "the length in epochs; after it the last value is held",
                   .range = above(0)};
  const Key steps{.name = "steps",
                  .kind = KeyKind::number,
                  .doc = "the length in steps, instead of `epochs`",
                  .range = above(0)};
  const auto section = [](std::string name, std::vector<Key> keys) {
    return Section{name, fmt::format("the schedule '{}'", name), "in a schedule", std::move(keys)};
  };
  return {section("linear", {from, to, epochs, steps}), section("cosine", {from, to, epochs, steps}),
          section("step", {from, factor, epochs, steps}), section("warmup", {to, epochs, steps})};
}

}  // namespace

std::vector<std::string> Section::key_names() const {
  std::vector<std::string> names;
  for (const Key& key : keys) names.emplace_back(key.name);
  return names;
}

const Key* Section::find(std::string_view key) const {
  const auto found =
      std::find_if(keys.begin(), keys.end(), [key](const Key& candidate) { return candidate.name == key; });
  return found == keys.end() ? nullptr : &*found;
}

bool check_keys(const YamlNode& mapping, const Section& section, std::span<const Section> others,
                Diagnostics& diagnostics) {
  bool whole = true;
  for (const YamlEntry& entry : mapping.entries) {
    const bool unknown = section.find(entry.key) == nullptr;
    if (unknown) {
      diagnostics.error(entry.place, fmt::format("{} has no key '{}'", section.title, entry.key),
                        advice(entry.key, section, others));
    } else if (entry.value.is_empty()) {
      diagnostics.error(entry.place, fmt::format("'{}' has no value", entry.key),
                        "Write one, or leave the key out.");
    }
    whole = whole && !unknown && !entry.value.is_empty();
  }
  return whole;
}

std::span<const Section> schedule_sections() {
  static const std::vector<Section> sections = make_schedule_sections();
  return sections;
}

bool is_schedule(const YamlNode& node) {
  if (!node.is_mapping() || node.entries.size() != 1) return false;
  const auto named = [&node](const Section& section) { return section.name == node.entries.front().key; };
  return std::any_of(schedule_sections().begin(), schedule_sections().end(), named);
}

bool is_identifier(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (text.empty() || !letter(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace graphrun
