#include "language/reference_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "graph/op.hpp"
#include "language/build.hpp"
#include "language/recipe/optimizer_kind.hpp"

namespace graphrun {
namespace {

using Item = ReferenceEntry::Item;

// ---- From the definitions ------------------------------------------------------------------------------

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string kind_text(const AttributeDeclaration& attribute) {
  if (attribute.kind == AttributeKind::word) return "one of: " + joined(attribute.words);
  std::string text(to_string(attribute.kind));
  if (attribute.range != finite() && attribute.range != Range{}) text += ", " + to_string(attribute.range);
  if (!attribute.at_most.empty()) text += fmt::format(", at most `{}`", attribute.at_most);
  return text;
}

std::string gradient_text(const OpDef& op) {
  if (std::holds_alternative<ZeroGradient>(op.gradient)) return "zero";
  const auto* none = std::get_if<NotDifferentiable>(&op.gradient);
  return none == nullptr ? "" : "none: " + none->reason;
}

ReferenceEntry entry_of(const OpDef& op) {
  ReferenceEntry entry;
  entry.name = op.name;
  entry.doc = op.doc;
  entry.formula = op.formula;
  entry.shapes = op.shapes;
  for (const OperandDeclaration& input : op.inputs) entry.inputs.push_back({input.name, "", "", input.doc});
  if (op.variadic) entry.inputs.push_back({"...", "", "", "any number more"});
  for (const AttributeDeclaration& attribute : op.attributes) {
    if (attribute.internal) continue;
    const std::string fallback = attribute.fallback ? to_string(*attribute.fallback) : "required";
    entry.attributes.push_back({attribute.name, kind_text(attribute), fallback, attribute.doc});
  }
  entry.gradient = gradient_text(op);
  entry.internal = op.internal;
  return entry;
}

ReferenceEntry entry_of(const BlockSummary& block) {
  ReferenceEntry entry;
  entry.name = block.name;
  entry.doc = block.about;
  entry.block = true;
  for (const std::string& input : block.inputs) entry.inputs.push_back({input, "", "", ""});
  for (const BlockSummary::Argument& argument : block.arguments) {
    const std::string range = to_string(argument.range);
    entry.attributes.push_back(
        {argument.name, range.empty() ? "" : "a number, " + range, argument.fallback, ""});
  }
  return entry;
}

ReferenceEntry entry_of(const OptimizerKind& kind) {
  ReferenceEntry entry;
  entry.name = kind.name;
  entry.doc = kind.doc;
  entry.formula = kind.formula;
  entry.optimizer = true;
  entry.attributes.push_back(
      {"lr", "a number or a schedule", fmt::format("{}", kind.learning_rate), "learning rate"});
  for (const OptimizerSetting& setting : kind.settings) {
    const std::string fallback =
        setting.flag ? setting.fallback != 0 ? "true" : "false" : fmt::format("{}", setting.fallback);
    entry.attributes.push_back({std::string(setting.name), setting.flag ? "true or false" : "a number",
                                fallback, std::string(setting.doc)});
  }
  entry.attributes.push_back(
      {"clip_value", "a number", "none", "each element of a gradient is at most this large"});
  entry.attributes.push_back(
      {"clip_norm", "a number", "none", "all gradients together have at most this norm"});
  return entry;
}

// ---- Text for a terminal -------------------------------------------------------------------------------

std::size_t widest(const std::vector<Item>& items) {
  std::size_t width = 0;
  for (const Item& item : items) width = std::max(width, item.name.size());
  return width;
}

std::string described(const Item& attribute) {
  const std::string fallback =
      attribute.fallback == "required" ? "required" : fmt::format("default {}", attribute.fallback);
  std::string text = attribute.doc;
  if (!attribute.kind.empty()) text += fmt::format("{}{}", text.empty() ? "" : "; ", attribute.kind);
  return fmt::format("{}{}{}", text, text.empty() ? "" : "; ", fallback);
}

std::string help_of(const ReferenceEntry& entry) {
  std::string text = fmt::format("{}{}: {}\n", entry.name,
                                 entry.block       ? " (block)"
                                 : entry.optimizer ? " (optimizer)"
                                                   : "",
                                 entry.doc);
  if (!entry.formula.empty()) text += fmt::format("\n  {}\n", entry.formula);
  if (!entry.shapes.empty()) text += fmt::format("  {}\n", entry.shapes);
  if (!entry.inputs.empty()) text += "\ninputs\n";
  for (const Item& input : entry.inputs) {
    text += input.doc.empty() ? fmt::format("  {}\n", input.name)
                              : fmt::format("  {:{}}  {}\n", input.name, widest(entry.inputs), input.doc);
  }
  if (!entry.attributes.empty()) text += "\nattributes\n";
  for (const Item& attribute : entry.attributes) {
    text += fmt::format("  {:{}}  {}\n", attribute.name, widest(entry.attributes), described(attribute));
  }
  if (!entry.gradient.empty()) text += fmt::format("\ngradient: {}\n", entry.gradient);
  if (entry.internal) text += "\ngraphrun makes this op itself; a model file cannot write it.\n";
  return text;
}

// ---- Markdown ------------------------------------------------------------------------------------------

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
  if (!documented && !names.empty()) text += fmt::format("\nInputs: {}.\n", joined(names));
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

}  // namespace

std::vector<ReferenceEntry> reference_entries(const Language& language) {
  std::vector<ReferenceEntry> entries;
  for (const OpDef& op : language.registry->ops()) entries.push_back(entry_of(op));
  for (const BlockSummary& block : standard_blocks(language.standard_blocks)) {
    entries.push_back(entry_of(block));
  }
  for (const OptimizerKind& kind : optimizer_kinds()) entries.push_back(entry_of(kind));
  return entries;
}

std::optional<std::string> help_text(const Language& language, std::string_view name) {
  for (const ReferenceEntry& entry : reference_entries(language)) {
    if (entry.name == name) return help_of(entry);
  }
  return std::nullopt;
}

std::string help_index(const Language& language) {
  const std::vector<ReferenceEntry> entries = reference_entries(language);
  std::size_t width = 0;
  for (const ReferenceEntry& entry : entries) width = std::max(width, entry.internal ? 0 : entry.name.size());
  std::string text;
  for (const ReferenceEntry& entry : entries) {
    if (!entry.internal) text += fmt::format("{:{}}  {}\n", entry.name, width, entry.doc);
  }
  return text;
}

std::string reference_markdown(const Language& language) {
  const std::vector<ReferenceEntry> entries = reference_entries(language);
  return "# Op reference\n\n"
         "Generated from the definitions: `graphrun ops --markdown > docs/ops.md`. In a shape, `[...]` is "
         "any\n"
         "number of axes. Operands of elementwise ops broadcast: axes align at the right, and each pair is "
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

}  // namespace graphrun
