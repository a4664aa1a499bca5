/// \file
/// Reads the keys of one mapping of `train:` or `data:`; what is wrong is reported at its place. Internal to
/// graph/yaml.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "language/expand/expander.hpp"
#include "language/values/schedule.hpp"

namespace graphrun {

/// Every function gives nothing for a key that is missing, and for a wrong one, which it reports.
class SectionReader {
 public:
  SectionReader(const YamlNode& section, Expander& expander) : section_(section), expander_(expander) {}

  const YamlNode& section() const { return section_; }
  const YamlNode* find(const char* key) const;
  bool has(const char* key) const { return find(key) != nullptr; }
  void wrong(const YamlNode& at, const std::string& message, std::string fix = {});

  std::optional<Value> value(const char* key);
  std::optional<std::int64_t> count(const char* key, std::int64_t least);
  std::optional<double> positive(const char* key);
  std::optional<bool> flag(const char* key);
  std::optional<Schedule> schedule(const char* key);
  /// One of two words: is it the first?
  std::optional<bool> choice(const char* key, const std::string& first, const std::string& second);
  /// A list of names, each one of `known`; `what` is what they name.
  std::vector<std::string> names(const char* key, const std::vector<std::string>& known,
                                 const std::string& what);
  /// A single name of `known`.
  std::optional<std::string> name(const char* key, const std::vector<std::string>& known,
                                  const std::string& what);

 private:
  const YamlNode& section_;
  Expander& expander_;
};

}  // namespace graphrun
