#include "tests/language/documentation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "graph/initializers.hpp"
#include "language/recipe/keys.hpp"
#include "language/reference_text.hpp"

namespace graphrun::testing {
namespace {

using Item = ReferenceEntry::Item;

/// A cell of a table: a `|` would end it.
std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  return text;
}

std::string markdown_of(const ReferenceEntry& entry) {
  std::string text = fmt::format("\n### {}\n\n{}\n", entry.name, entry.doc);
  if (!entry.formula.empty()) text += fmt::format("\n    {}\n", entry.formula);
  if (!entry.shapes.empty()) text += fmt::format("    {}\n", entry.shapes);
  const bool documented = std::any_of(entry.inputs.begin(), entry.inputs.end(),
                                      [](const Item& input) { return !input.doc.empty(); });
  if (documented) text += "\n| input | |\n|---|---|\n";
  std::vector<std::string> names;
  for (const Item& input : entry.inputs) {
    if (documented) text += fmt::format("| `{}` | {} |\n", input.name, cell(input.doc));
    names.push_back("`" + input.name + "`");
  }
  if (!documented && !names.empty()) text += fmt::format("\nInputs: {}.\n", fmt::join(names, ", "));
  if (!entry.attributes.empty()) text += "\n| attribute | default | |\n|---|---|---|\n";
  for (const Item& attribute : entry.attributes) {
    const std::string separator = attribute.kind.empty() || attribute.doc.empty() ? "" : "; ";
    text += fmt::format("| `{}` | `{}` | {}{}{} |\n", attribute.name, attribute.fallback, cell(attribute.doc),
                        separator, cell(attribute.kind));
  }
  if (!entry.gradient.empty()) text += fmt::format("\nGradient: {}.\n", entry.gradient);
  return text;
}

enum class Part { ops, blocks, optimizers, internal };

Part part_of(const ReferenceEntry& entry) {
  if (entry.block) return Part::blocks;
  if (entry.optimizer) return Part::optimizers;
  return entry.internal ? Part::internal : Part::ops;
}

std::string section(const std::vector<ReferenceEntry>& entries, Part part) {
  std::string text;
  for (const ReferenceEntry& entry : entries) {
    if (part_of(entry) == part) text += markdown_of(entry);
  }
  return text;
}

// ---- Tables of the guide -------------------------------------------------------------------------------

/// "`keep` or `drop`", "an integer, at least 1"; empty where the line about the key says it.
std::string kind_text(const Key& key) {
  const auto in_range = [&key](std::string_view kind) {
    const std::string range = to_string(key.range);
    return range.empty() || range == "finite" ? std::string(kind) : fmt::format("{} {}", kind, range);
  };
  switch (key.kind) {
    case KeyKind::flag:
      return "`true` or `false`";
    case KeyKind::integer:
      return in_range("an integer");
    case KeyKind::number:
      return in_range("a number");
    case KeyKind::schedule:
      return in_range("a number or schedule");
    case KeyKind::word:
      return key.words.empty() ? "" : fmt::format("`{}`", fmt::join(key.words, "` or `"));
    case KeyKind::names:
      return "a list of names";
    case KeyKind::sections:
      return key.short_form ? "one or a list" : "a list";
    default:
      return {};
  }
}

/// A default that is a value stands as one; a description does not.
std::string default_text(const Key& key) {
  if (key.required) return "required";
  const bool value = !key.fallback.empty() && key.fallback.find(' ') == std::string::npos &&
                     key.fallback != "all" && key.fallback != "none" && key.fallback != "nothing";
  return value ? fmt::format("`{}`", key.fallback) : key.fallback;
}

std::string row_of(const Key& key) {
  const std::string kind = kind_text(key);
  return fmt::format("| `{}` | {} | {}{}{} |\n", key.name, cell(default_text(key)),
                     cell(std::string(key.doc)), kind.empty() ? "" : "; ", cell(kind));
}

/// A phase inherits what `train:` has: its table shows its own keys.
std::string key_table(const Section& section) {
  std::string text = "| key | default | |\n|---|---|---|\n";
  for (const Key& key : section.keys)
    if (section.name != "phase" || section_of("train").find(key.name) == nullptr) text += row_of(key);
  return text;
}

std::string probe_table() {
  std::string text = "| probe | measures |\n|---|---|\n";
  for (const ProbeKind& kind : probe_kinds()) {
    std::string example = fmt::format("probe: {}, in: {}", kind.name,
                                      ProbeRecipe::is_of_numbers(kind.kind)  ? "[guess, target]"
                                      : ProbeRecipe::is_of_scores(kind.kind) ? "[score, y]"
                                      : kind.labelled                        ? "[code, y]"
                                                                             : "code");
    std::string rest;
    for (const Key& key : section_of(kind).keys) {
      if (key.required) continue;
      const bool value = key.fallback.find(' ') == std::string::npos;
      example += value ? fmt::format(", {}: {}", key.name, key.fallback) : "";
      if (!value) rest += fmt::format("; `{}` is by default {}", key.name, key.fallback);
    }
    text += fmt::format("| `{{{}}}` | {}{} |\n", example, kind.doc, rest);
  }
  return text;
}

std::string schedule_table() {
  std::string text = "| schedule | keys |\n|---|---|\n";
  for (const Section& section : schedule_sections()) {
    text += fmt::format("| `{}` |", section.name);
    for (const Key& key : section.keys)
      text += fmt::format("{} `{}`: {}", key.name == section.keys.front().name ? "" : ";", key.name, key.doc);
    text += " |\n";
  }
  return text;
}

std::string initializer_table() {
  std::string text = "| start | arguments | values |\n|---|---|---|\n";
  for (const InitializerKind& kind : initializer_kinds()) {
    std::string arguments;
    for (const InitializerArgument& argument : kind.arguments)
      arguments += fmt::format("{}`{}`{}", arguments.empty() ? "" : ", ", argument.name,
                               argument.fallback ? fmt::format(" {}", *argument.fallback) : "");
    text += fmt::format("| `{}` | {} | {} |\n", kind.name, arguments, kind.doc);
  }
  return text;
}

std::string table_of(std::string_view name) {
  if (name == "initialisers") return initializer_table();
  if (name == "probes") return probe_table();
  if (name == "schedules") return schedule_table();
  return key_table(section_of(name.substr(name.find(' ') + 1)));
}

}  // namespace

std::string reference_markdown(const Language& language) {
  const std::vector<ReferenceEntry> entries = reference_entries(language);
  return "# Op reference\n\n"
         "Generated from the definitions: `test_language` with `GRAPHRUN_WRITE_DOCS=1` writes it. In a "
         "shape,\n"
         "`[...]` is any number of axes. Operands of elementwise ops broadcast: axes align at the right, and "
         "each pair is "
         "equal\n"
         "or one of them 1. Values are f32 where nothing else is said. Without a line about it, an op has a\n"
         "gradient, and so has its gradient.\n"
         "\n## Ops\n" +
         section(entries, Part::ops) +
         "\n## Standard blocks\n\n"
         "Called like an op, and written in the model language: `ops/std.yaml` shows what they compute.\n" +
         section(entries, Part::blocks) +
         "\n## Optimizers\n\nNamed in `train: {optimizer: {op: adam, lr: 1.0e-3}}`; formulas and defaults "
         "are PyTorch's.\n" +
         section(entries, Part::optimizers) +
         "\n## Ops that graphrun makes itself\n\nA model file cannot write these.\n" +
         section(entries, Part::internal);
}

std::string with_tables(std::string_view guide) {
  constexpr std::string_view open = "\n<!-- ";
  constexpr std::string_view close = " -->\n";
  std::string text;
  for (std::size_t at = guide.find(open); at != std::string_view::npos; at = guide.find(open)) {
    const std::size_t end = guide.find(close, at) + close.size();
    text += guide.substr(0, end);
    text += table_of(guide.substr(at + open.size(), end - at - open.size() - close.size()));
    const std::size_t next = guide.find("\n\n", end - 1);
    guide.remove_prefix(next == std::string_view::npos ? guide.size() : next + 1);
  }
  return text.append(guide);
}

}  // namespace graphrun::testing
