/// \file
/// What a key of the language is: one row that says its name, what may stand there, what it is when it is not
/// written, and one line about it. Readers, errors, the guide and the schema all come from such rows; those
/// of the whole language are in language/recipe/keys.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "graph/precision.hpp"
#include "graph/range.hpp"
#include "language/syntax/document.hpp"
#include "language/values/schedule.hpp"

namespace graphrun {

enum class KeyKind {
  value,     ///< anything: a number, a text, a list
  text,      ///< read as it stands
  flag,      ///< true or false
  integer,   ///< in the range
  number,    ///< in the range
  schedule,  ///< a number in the range, or a schedule of such
  word,      ///< one of `words`
  name,      ///< of something in the file, or of what graphrun has
  names,     ///< a list of such
  list,      ///< of values
  paths,     ///< a list of files
  path,      ///< a file
  shape,     ///< sizes, and `batch`
  formula,   ///< a text that is a formula
  inputs,    ///< a node or a formula, or a list of these
  call,      ///< of an op or block
  section,   ///< keys of the section `section`; or a name or text, where `short_form` says so
  sections,  ///< a list of such
  entries    ///< names of the file's own, each with what `section` says; or a text, as above
};

struct Key {
  std::string_view name;
  KeyKind kind = KeyKind::value;
  std::string_view doc;  ///< one line, Markdown
  Range range = {};
  std::string fallback = {};  ///< as the guide shows it; empty: none
  bool required = false;
  std::vector<std::string> words = {};
  std::string_view section = {};
  bool short_form = false;
  std::vector<std::string_view> also = {};  ///< what others call it
  std::string_view instead_of = {};         ///< of this key and that, just one is written
};

/// The keys of one mapping.
struct Section {
  std::string name;        ///< "subset"
  std::string title;       ///< in messages: "`subset`", "a phase"
  std::string_view place;  ///< where its keys are written: "in an entry of `phases:`"
  std::vector<Key> keys;

  std::vector<std::string> key_names() const;
  const Key* find(std::string_view key) const;  ///< null when there is none
};

/// A key, and the field that holds what is written. Without a field, the reader of the section does more.
template <class Record>
struct Row {
  using Field = std::variant<std::monostate, bool Record::*, std::int64_t Record::*, std::uint64_t Record::*,
                             double Record::*, std::optional<std::int64_t> Record::*,
                             std::optional<double> Record::*, Schedule Record::*, Precision Record::*>;
  Row(Key row) : key(std::move(row)) {}
  Row(Key row, Field filled) : key(std::move(row)), field(filled) {}

  Key key;
  Field field;
};
template <class Record>
using Rows = std::vector<Row<Record>>;

/// Reports keys that the section has not, and missing values. A key that one of `others` has is shown its
/// place, another its nearest name. True when there are none.
bool check_keys(const YamlNode& mapping, const Section& section, std::span<const Section> others,
                Diagnostics& diagnostics);

/// Letters, digits and _, and no digit in front.
bool is_identifier(std::string_view text);

/// Is this mapping a schedule: {linear: …}, {cosine: …}, {step: …}, {warmup: …}?
bool is_schedule(const YamlNode& node);

/// The schedules {linear: …}, {cosine: …}, {step: …}, {warmup: …}: a section each.
std::span<const Section> schedule_sections();

}  // namespace graphrun
