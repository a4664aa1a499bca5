/// \file
/// Reads the keys of one mapping of `train:` or `data:`; what is wrong is reported at its place. Internal to
/// language.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "language/expand/scope.hpp"
#include "language/recipe/keys.hpp"
#include "language/values/schedule.hpp"

namespace graphrun {

/// Every function gives nothing for a key that is missing, and for a wrong one, which it reports.
class SectionReader {
 public:
  SectionReader(const YamlNode& section, Expansion& expansion) : section_(section), expansion_(expansion) {}

  const YamlNode* find(std::string_view key) const;
  bool has(std::string_view key) const { return find(key) != nullptr; }
  SourceLocation where() const { return expansion_.diagnostics.sources().location(section_.place); }
  void wrong(const YamlNode& at, const std::string& message, std::string fix = {});
  /// Reports what is no mapping: "`stop:` is a mapping, not a list".
  bool is_mapping(std::string_view said, std::string example);
  /// Reports keys that the section has not, and those without a value; true when there are none.
  bool check(const Section& section) { return check_keys(section_, section, expansion_.diagnostics); }

  /// Fills the fields of all rows that have one; those of keys that are missing or wrong stay as they are.
  template <class Record, class Into>
  void read(const Rows<Record>& rows, Into& record) {
    for (const Row<Record>& row : rows)
      std::visit([&](auto field) { fill(row.key, static_cast<Record&>(record), field); }, row.field);
  }

  std::optional<Value> value(std::string_view key);
  std::optional<double> number(const Key& key);
  std::optional<std::int64_t> integer(const Key& key);
  std::optional<bool> flag(const Key& key);
  /// A list of names, each one of `known`; `what` is what they name.
  std::vector<std::string> names(std::string_view key, const std::vector<std::string>& known,
                                 const std::string& what);
  /// A single name of `known`.
  std::optional<std::string> name(std::string_view key, const std::vector<std::string>& known,
                                  const std::string& what);

 private:
  template <class Record, class T>
  void fill(const Key& key, Record& record, T Record::*field) {
    read_into(key, record.*field);
  }
  template <class Record>
  void fill(const Key& /*key*/, Record& /*record*/, std::monostate /*no field*/) {}

  void read_into(const Key& key, bool& field);
  void read_into(const Key& key, std::int64_t& field);
  void read_into(const Key& key, std::uint64_t& field);
  void read_into(const Key& key, double& field);
  void read_into(const Key& key, std::optional<std::int64_t>& field);
  void read_into(const Key& key, std::optional<double>& field);
  void read_into(const Key& key, Schedule& field);
  void read_into(const Key& key, Precision& field);

  bool is_one_of(const YamlNode& node, const std::vector<std::string>& known, const std::string& what,
                 const std::string& expected);
  std::optional<Schedule> schedule(const Key& key);
  std::optional<std::string> word(const Key& key);  ///< one of its own

  const YamlNode& section_;
  Expansion& expansion_;
};

}  // namespace graphrun
