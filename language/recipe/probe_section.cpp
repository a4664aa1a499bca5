#include <fmt/format.h>

#include <algorithm>

#include "errors/nearest.hpp"
#include "language/expand/expand_nodes.hpp"
#include "language/recipe/section_reader.hpp"
#include "language/recipe/sections.hpp"

namespace graphrun {
namespace {

class ProbeBuilder {
 public:
  ProbeBuilder(const ProbeDeclaration& declared, Expansion& expansion, const ModelDefinition& model)
      : declared_(declared), expansion_(expansion), model_(model), reader_(declared.value, expansion) {}

  std::optional<ProbeRecipe> build() {
    const ProbeKind* kind = read_kind();
    if (kind == nullptr) return std::nullopt;
    if (!reader_.check(section_of(*kind))) return std::nullopt;
    const std::vector<YamlNode> inputs = read_inputs(*kind);
    if (inputs.empty()) return std::nullopt;
    ProbeRecipe probe{.name = declared_.name,
                      .kind = kind->kind,
                      .code = 0,
                      .labels = kind->labelled ? labels(inputs[1], kind->kind) : "",
                      .k = kind->k,
                      .where = expansion_.diagnostics.sources().location(declared_.place)};
    reader_.read(probe_rows, probe);
    const std::optional<NodeId> code = this->code(inputs[0], kind->kind, cells_named(probe.labels));
    if (!code || (kind->labelled && probe.labels.empty())) return std::nullopt;
    probe.code = *code;
    return probe;
  }

 private:
  const ProbeKind* read_kind() {
    const YamlNode* word = reader_.find("probe");
    if (word == nullptr) {
      reader_.check(section_of("probe"));
      return nullptr;
    }
    std::vector<std::string> names;
    for (const ProbeKind& kind : probe_kinds()) {
      if (word->is_scalar() && word->text == kind.name) return &kind;
      names.emplace_back(kind.name);
    }
    reader_.wrong(*word, fmt::format("there is no probe {}", describe_kind(*word)),
                  suggestion(word->text, names));
    return nullptr;
  }

  /// The code, and the labels if the kind needs them.
  std::vector<YamlNode> read_inputs(const ProbeKind& kind) {
    const YamlNode* in = reader_.find("in");
    const std::string example = kind.labelled ? "Write in: [code, y]." : "Write in: code.";
    if (in == nullptr) {
      reader_.wrong(declared_.value, "the probe does not say what it looks at", example);
      return {};
    }
    std::vector<YamlNode> inputs = in->is_sequence() ? in->items : std::vector<YamlNode>{*in};
    const std::size_t wanted = kind.labelled ? 2 : 1;
    const bool texts =
        std::all_of(inputs.begin(), inputs.end(), [](const YamlNode& n) { return n.is_scalar(); });
    if (inputs.size() == wanted && texts) return inputs;
    reader_.wrong(
        *in, kind.labelled ? "this probe looks at a code and the labels" : "this probe looks at a code alone",
        example);
    return {};
  }

  /// `of_cells`: the input with cells that a row is compared with, if it is.
  std::optional<NodeId> code(const YamlNode& text, ProbeRecipe::Kind kind, const std::string& of_cells) {
    NodeDeclaration formula;
    formula.name = declared_.name;
    formula.place = declared_.place;
    formula.value = text;
    const std::string path = "metric." + declared_.name;
    const std::optional<NodeId> node = make(expansion_.top, formula, path, "").node;
    if (!node) return std::nullopt;
    const Type& type = expansion_.builder.type(*node);
    const bool rows = !type.shape.empty() && type.shape.front().is_batch() &&
                      std::all_of(type.shape.begin() + 1, type.shape.end(),
                                  [](const auto& extent) { return extent.is_number(); });
    const bool fits = type.dtype == DType::f32 && rows;
    if (fits && kind == ProbeRecipe::Kind::confusion) return of_classes(*node, text);
    if (fits && !of_cells.empty()) return of_row(*node, text, of_cells);
    if (fits && ProbeRecipe::is_of_scores(kind)) return single(*node, text);
    if (fits) return node;
    reader_.wrong(text, fmt::format("a code is a row of floats for each example, not {}", to_string(type)));
    return std::nullopt;
  }

  std::optional<NodeId> of_classes(NodeId node, const YamlNode& text) {
    const Type& type = expansion_.builder.type(node);
    if (type.shape.size() == 2 && !type.shape[1].is_number(1)) return node;
    reader_.wrong(text, fmt::format("this probe looks at a score for each class, [batch, classes], not {}",
                                    to_string(type)));
    return std::nullopt;
  }

  /// Cells are compared one by one.
  std::optional<NodeId> of_row(NodeId node, const YamlNode& text, const std::string& cells) {
    const Type& type = expansion_.builder.type(node);
    const auto input = expansion_.top.instances.find(cells);
    if (input == expansion_.top.instances.end() || !input->second.node) return std::nullopt;
    const Type& wanted = expansion_.builder.type(*input->second.node);
    if (type.shape == wanted.shape) return node;
    reader_.wrong(text, fmt::format("this probe compares it with '{}', cell by cell: {} is not {}", cells,
                                    to_string(type), to_string(wanted)));
    return std::nullopt;
  }

  /// The name itself, if it is of an input that takes cells.
  std::string cells_named(const std::string& name) const {
    for (const ModelInput& input : model_.inputs)
      if (input.name == name && input.source == InputSource::cells) return name;
    return {};
  }

  /// A score or a guess is one number for each example.
  std::optional<NodeId> single(NodeId node, const YamlNode& text) {
    const Type& type = expansion_.builder.type(node);
    for (std::size_t axis = 1; axis < type.shape.size(); ++axis) {
      if (type.shape[axis].is_number(1)) continue;
      reader_.wrong(text,
                    fmt::format("this probe looks at one number for each example, not {}", to_string(type)),
                    "Write e.g. mean(error, axis=1).");
      return std::nullopt;
    }
    return node;
  }

  /// Labels, or a category of a table; a number to learn, alone, or cells to compare with.
  bool serves(const ModelInput& input, bool of_numbers) const {
    if (input.source == InputSource::weights) return false;
    const Type& type = expansion_.builder.type(*expansion_.top.instances.at(input.name).node);
    const bool is_one = type.shape.size() == 1 && type.shape.front().is_batch();
    const bool is_column = input.source == InputSource::column && is_one;
    if (of_numbers && input.source == InputSource::cells) return true;
    if (of_numbers)
      return is_one && (input.source == InputSource::target || (is_column && type.dtype == DType::f32));
    const bool is_class = input.source == InputSource::target && is_one && type.dtype == DType::i32;
    return is_class || input.source == InputSource::labels || (is_column && type.dtype == DType::i32);
  }

  std::string labels(const YamlNode& text, ProbeRecipe::Kind kind) {
    const bool of_numbers = ProbeRecipe::is_of_numbers(kind);
    std::vector<std::string> names;
    for (const ModelInput& input : model_.inputs) {
      if (!serves(input, of_numbers)) continue;
      if (input.name == text.text) return input.name;
      names.push_back(input.name);
    }
    reader_.wrong(text,
                  fmt::format("'{}' is no input with {}", text.text,
                              of_numbers ? "a target that is a number, or cells" : "labels"),
                  !names.empty() ? suggestion(text.text, names)
                  : of_numbers   ? "Declare one under `inputs:`, as t: {from: target}."
                                 : "Declare one under `inputs:`, as y: {from: labels}.");
    return {};
  }

  const ProbeDeclaration& declared_;
  Expansion& expansion_;
  const ModelDefinition& model_;
  SectionReader reader_;
};

}  // namespace

void build_probes(Expansion& expansion, ModelDefinition& model) {
  for (const ProbeDeclaration& declared : expansion.declared.probes) {
    if (std::optional<ProbeRecipe> probe = ProbeBuilder(declared, expansion, model).build())
      model.probes.push_back(std::move(*probe));
  }
}

}  // namespace graphrun
