#include "language/recipe/table_section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "errors/nearest.hpp"
#include "language/recipe/keys.hpp"
#include "language/recipe/section_reader.hpp"

namespace graphrun {
namespace {

constexpr const char* numbers_example = "Write numbers: {standardise: [COLUMN, …]}.";

/// Reads what a person writes.
class TableReader {
 public:
  TableReader(const YamlNode& section, Expansion& expansion)
      : section_(section), expansion_(expansion), reader_(section, expansion) {}

  TableRecipe read() {
    if (const YamlNode* columns = reader_.find("columns")) read_columns(*columns);
    if (const YamlNode* missing = reader_.find("missing")) read_missing(*missing);
    if (const YamlNode* windows = reader_.find("windows")) read_windows(*windows);
    if (const YamlNode* split = reader_.find("split")) read_split(*split);
    return std::move(spec_);
  }

 private:
  void wrong(const YamlNode& at, const std::string& message, std::string fix = {}) {
    reader_.wrong(at, message, std::move(fix));
  }

  TableRecipe::Named named(const YamlNode& at, std::string name) const {
    return {std::move(name), expansion_.diagnostics.sources().location(at.place)};
  }

  bool has_keys(const YamlNode& part, std::string_view section) {
    if (part.is_mapping()) return check_keys(part, section_of(section), expansion_.diagnostics);
    wrong(part, fmt::format("`{}:` is a mapping, not {}", section, describe_kind(part)),
          section == "numbers" ? numbers_example : "");
    return false;
  }

  void read_columns(const YamlNode& columns) {
    if (!has_keys(columns, "columns")) return;
    if (const YamlNode* numbers = columns.find("numbers")) read_numbers(*numbers);
    for (const auto& [key, into] :
         {std::pair("categories", &spec_.categories), std::pair("ignore", &spec_.ignored)})
      if (const YamlNode* names = columns.find(key))
        for (TableRecipe::Named& column : names_in(*names, key)) into->push_back(std::move(column));
    if (const YamlNode* target = columns.find("target")) read_targets(*target);
    if (const YamlNode* weight = columns.find("weight")) read_weight(*weight);
  }

  /// One column or several. How it is scaled may be listed beside it.
  void read_targets(const YamlNode& target) {
    const std::vector<YamlNode> items =
        target.is_sequence() ? target.items : std::vector<YamlNode>(target.is_empty() ? 0 : 1, target);
    std::set<std::string> known;
    for (const YamlNode& item : items) {
      if (!item.is_scalar())
        wrong(item, fmt::format("`target:` is a column or a list of columns, not {}", describe_kind(item)));
      else if (!known.insert(item.text).second)
        wrong(item, fmt::format("the column '{}' is listed twice", item.text));
      else
        spec_.targets.push_back(named(item, item.text));
    }
  }

  void read_weight(const YamlNode& weight) {
    if (weight.is_empty()) return;
    if (!weight.is_scalar())
      wrong(weight, fmt::format("`weight:` is one column, not {}", describe_kind(weight)));
    else if (!listed_.insert(weight.text).second)
      wrong(weight, fmt::format("the column '{}' is the weight of a row, and nothing else too", weight.text));
    else
      spec_.weight = named(weight, weight.text);
  }

  void read_numbers(const YamlNode& numbers) {
    if (!has_keys(numbers, "numbers")) return;
    for (std::size_t i = 0; i < column_scales.size(); ++i) {
      const YamlNode* names = numbers.find(column_scales[i]);
      if (names == nullptr) continue;
      for (TableRecipe::Named& column : names_in(*names, column_scales[i]))
        spec_.numbers.push_back({std::move(column), static_cast<ColumnScale>(i)});
    }
  }

  /// A list of columns, none of which stands in another list.
  std::vector<TableRecipe::Named> names_in(const YamlNode& list, std::string_view key) {
    std::vector<TableRecipe::Named> names;
    if (!list.is_sequence()) {
      if (!list.is_empty())
        wrong(list, fmt::format("`{}:` is a list of columns, not {}", key, describe_kind(list)),
              list.is_scalar() ? fmt::format("Write {}: [{}].", key, list.text) : "");
      return names;
    }
    for (const YamlNode& item : list.items) {
      if (!item.is_scalar())
        wrong(item, fmt::format("a column is a name, not {}", describe_kind(item)));
      else if (!listed_.insert(item.text).second)
        wrong(item, fmt::format("the column '{}' is listed twice", item.text));
      else
        names.push_back(named(item, item.text));
    }
    return names;
  }

  void read_missing(const YamlNode& missing) {
    static const std::vector<std::string> words = {"refuse", "mask", "mean", "median"};
    const auto found = std::ranges::find(words, missing.text);
    if (missing.is_scalar() && found != words.end())
      spec_.missing = static_cast<MissingCells>(found - words.begin());
    else
      wrong(missing,
            fmt::format("`missing:` is refuse, mask, mean or median, not {}", describe_kind(missing)),
            suggestion(missing.text, words));
  }

  void read_windows(const YamlNode& part) {
    if (!has_keys(part, "windows")) return;
    TableRecipe::Windows windows;
    SectionReader keys(part, expansion_);
    const std::optional<std::int64_t> size = keys.integer(*section_of("windows").find("size"));
    if (!keys.has("size"))
      wrong(part, "`windows:` does not say how many rows a window has", "Write size: 64.");
    windows.size = size.value_or(1);
    windows.stride = keys.integer(*section_of("windows").find("stride")).value_or(1);
    windows.ahead = keys.integer(*section_of("windows").find("ahead")).value_or(0);
    if (windows.ahead > 0 && spec_.targets.empty())
      wrong(*keys.find("ahead"), "`ahead:` says which row behind a window has the target, and there is none",
            "Name one: columns: {target: COLUMN}.");
    for (const auto& [key, into] : {std::pair("by", &windows.group), std::pair("time", &windows.time)})
      if (const YamlNode* column = keys.find(key)) *into = named(*column, column->text);
    spec_.windows = std::move(windows);
    spec_.split.by = TableRecipe::Split::By::time;
    spec_.split.column = spec_.windows->time;
  }

  void read_split(const YamlNode& part) {
    if (!has_keys(part, "split")) return;
    TableRecipe::Split& split = spec_.split;
    SectionReader keys(part, expansion_);
    for (const auto& [name, into] :
         {std::pair("validation", &split.validation), std::pair("test", &split.test)})
      if (const std::optional<double> share = keys.number(*section_of("split").find(name))) *into = *share;
    if (split.validation + split.test >= 1)
      wrong(part, "nothing is left to learn from: `validation` and `test` are shares of the rows, below 1");
    read_by(part, split);
  }

  void read_by(const YamlNode& part, TableRecipe::Split& split) {
    static const std::vector<std::string> words = {"random", "time", "group"};
    const YamlNode* by = part.find("by");
    if (by != nullptr && !by->is_empty()) {
      const auto found = std::ranges::find(words, by->text);
      if (by->is_scalar() && found != words.end())
        split.by = static_cast<TableRecipe::Split::By>(found - words.begin());
      else
        wrong(*by, fmt::format("`by:` is random, time or group, not {}", describe_kind(*by)),
              suggestion(by->text, words));
    }
    const YamlNode* column = part.find("column");
    if (column != nullptr && column->is_scalar()) split.column = named(*column, column->text);
    if (by != nullptr && column == nullptr && split.by != TableRecipe::Split::By::time) split.column.reset();
    if (split.by == TableRecipe::Split::By::group && !split.column)
      wrong(*by, "`by: group` does not say which column holds the group", "Add column: NAME.");
    if (split.by == TableRecipe::Split::By::random && split.column)
      wrong(*column, "rows are chosen at random, whatever a column holds", "Write by: time or by: group.");
  }

  const YamlNode& section_;
  Expansion& expansion_;
  SectionReader reader_;
  TableRecipe spec_;
  std::set<std::string> listed_;
};

// ---- What was fitted ------------------------------------------------------------------------------------

YamlNode text_node(std::string text) {
  YamlNode node;
  node.kind = YamlNode::Kind::scalar;
  node.text = std::move(text);
  node.quoted = true;
  return node;
}

YamlNode number_node(double value) {
  YamlNode node = text_node(fmt::format("{}", value));
  node.quoted = false;
  return node;
}

template <class Values, class Make>
YamlNode list_node(const Values& values, const Make& make) {
  YamlNode node;
  node.kind = YamlNode::Kind::sequence;
  for (const auto& value : values) node.items.push_back(make(value));
  return node;
}

void set(YamlNode& mapping, std::string key, YamlNode value) {
  mapping.kind = YamlNode::Kind::mapping;
  mapping.entries.push_back({std::move(key), {}, std::move(value)});
}

/// In the order of FittedColumn::Use, and a target that is seen.
const std::vector<std::string> uses = {"cells", "target", "input", "weight", "ignored", "seen_target"};

std::string word_of(const FittedColumn& column) {
  return column.is_seen ? uses.back() : uses[static_cast<std::size_t>(column.use)];
}

YamlNode node_of(const FittedColumn& column) {
  YamlNode node;
  set(node, "column", text_node(column.name));
  if (column.use != FittedColumn::Use::cells) set(node, "is", text_node(word_of(column)));
  if (column.use == FittedColumn::Use::ignored) return node;
  if (column.is_category) {
    set(node, "values", list_node(column.values, text_node));
  } else {
    set(node, "scale", text_node(std::string(name_of(column.scale))));
    if (column.centre != 0) set(node, "centre", number_node(column.centre));
    if (column.spread != 1) set(node, "spread", number_node(column.spread));
    if (!column.landmarks.empty()) set(node, "landmarks", list_node(column.landmarks, number_node));
  }
  if (column.fill) set(node, "fill", number_node(*column.fill));
  return node;
}

/// Reads what write_fitted() wrote: no person writes it, so one message is enough.
class FittedReader {
 public:
  FittedReader(const YamlNode& section, Expansion& expansion) : section_(section), expansion_(expansion) {}

  std::vector<FittedColumn> read() {
    std::vector<FittedColumn> columns;
    for (const YamlNode& item : section_.items)
      if (check_keys(item, section_of("fitted"), expansion_.diagnostics)) columns.push_back(column_of(item));
    if (!section_.is_sequence() || columns.empty()) wrong(section_);
    return columns;
  }

 private:
  void wrong(const YamlNode& at) {
    expansion_.diagnostics.error(at.place, "this is not what graphrun wrote under `fitted:`",
                                 "Take `fitted:` away, and it is fitted anew.");
  }

  FittedColumn column_of(const YamlNode& node) {
    FittedColumn column;
    column.name = text(node, "column");
    if (const std::string is = text(node, "is"); !is.empty()) read_use(is, node, column);
    if (const YamlNode* values = node.find("values")) {
      column.is_category = true;
      for (const YamlNode& value : values->items) column.values.push_back(value.text);
      if (column.values.empty()) wrong(*values);
    }
    if (node.find("scale") != nullptr) {
      const auto found = std::ranges::find(column_scales, text(node, "scale"));
      if (found == column_scales.end()) wrong(node);
      column.scale = static_cast<ColumnScale>((found - column_scales.begin()) %
                                              static_cast<std::ptrdiff_t>(column_scales.size()));
    }
    if (const YamlNode* centre = node.find("centre")) column.centre = number(*centre);
    if (const YamlNode* spread = node.find("spread")) column.spread = number(*spread);
    if (const YamlNode* fill = node.find("fill")) column.fill = number(*fill);
    if (const YamlNode* landmarks = node.find("landmarks"))
      for (const YamlNode& item : landmarks->items) column.landmarks.push_back(number(item));
    require_sound(column, node);
    return column;
  }

  void read_use(const std::string& word, const YamlNode& node, FittedColumn& column) {
    const auto found = std::ranges::find(uses, word);
    if (found == uses.end()) return wrong(node);
    column.is_seen = word == uses.back();
    column.use =
        column.is_seen ? FittedColumn::Use::target : static_cast<FittedColumn::Use>(found - uses.begin());
  }

  void require_sound(const FittedColumn& column, const YamlNode& node) {
    const bool scaled = column.spread > 0 && std::isfinite(column.spread);
    const bool ranked = (column.scale == ColumnScale::quantile) == (column.landmarks.size() >= 2) &&
                        std::is_sorted(column.landmarks.begin(), column.landmarks.end());
    const auto places = static_cast<double>(column.values.size());
    const bool filled = !column.fill || !column.is_category || (*column.fill >= 0 && *column.fill < places);
    if (!scaled || !ranked || !filled) wrong(node);
  }

  static std::string text(const YamlNode& node, std::string_view key) {
    const YamlNode* value = node.find(key);
    return value == nullptr ? std::string() : value->text;
  }

  double number(const YamlNode& node) {
    double value = 0;
    const std::string& text = node.text;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size() && std::isfinite(value)) return value;
    wrong(node);
    return 0;
  }

  const YamlNode& section_;
  Expansion& expansion_;
};

}  // namespace

std::int64_t cells_of(const std::vector<FittedColumn>& columns) {
  std::size_t cells = 0;
  for (const FittedColumn& column : columns) cells += column.cells();
  return static_cast<std::int64_t>(cells);
}

std::vector<const FittedColumn*> targets_of(const std::vector<FittedColumn>& columns) {
  std::vector<const FittedColumn*> targets;
  for (const FittedColumn& column : columns)
    if (column.is_target()) targets.push_back(&column);
  return targets;
}

const FittedColumn* target_of(const std::vector<FittedColumn>& columns) {
  const std::vector<const FittedColumn*> targets = targets_of(columns);
  return targets.size() == 1 ? targets.front() : nullptr;
}

TableRecipe read_table_section(const YamlNode& section, Expansion& expansion) {
  TableRecipe spec = TableReader(section, expansion).read();
  if (const YamlNode* fitted = section.find("fitted")) spec.fitted = FittedReader(*fitted, expansion).read();
  return spec;
}

void refuse_table_keys(const YamlNode& section, Expansion& expansion) {
  for (const char* key : {"columns", "missing", "split", "windows", "fitted"})
    if (const YamlNode* node = section.find(key))
      expansion.diagnostics.error(
          node->place, fmt::format("`{}:` is about the columns of a table, and the data are none", key),
          "Write train: {table: FILE.csv}.");
}

void write_fitted(YamlNode& document, const std::vector<FittedColumn>& columns) {
  YamlNode* data = document.find("data");
  if (data == nullptr || data->find("fitted") != nullptr) return;
  data->entries.push_back({"fitted", {}, list_node(columns, node_of)});
}

}  // namespace graphrun
