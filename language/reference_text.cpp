#include "language/reference_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "graph/op.hpp"
#include "language/build.hpp"
#include "language/recipe/keys.hpp"

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

std::string kind_text(const Key& key) {
  if (key.kind == KeyKind::flag) return "true or false";
  return fmt::format("{}, {}", key.kind == KeyKind::schedule ? "a number or a schedule" : "a number",
                     to_string(key.range));
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
  for (const Key& key : section_of(kind).keys)
    if (key.name != "op")
      entry.attributes.push_back({std::string(key.name), kind_text(key), key.fallback, std::string(key.doc)});
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

}  // namespace graphrun
