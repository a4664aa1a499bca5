#include "train/datasets/suitable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "graph/op.hpp"

namespace graphrun::train {

namespace {

/// The input whose values a node has as they are, maybe in another shape.
const Node& source_of(const Graph& graph, NodeId id) {
  while (graph.node(id).op->name == "reshape") id = graph.node(id).inputs.front();
  return graph.node(id);
}

const Column* column_of(const Graph& graph, NodeId id, const Examples& examples) {
  const Node& source = source_of(graph, id);
  const auto found = examples.columns.find(source.name);
  return source.op->traits.input && found != examples.columns.end() ? &found->second : nullptr;
}

std::string shown(const Node& node) {
  return node.origin && !node.origin->path.empty() ? node.origin->path : node.name;
}

// ---- Labels ----

template <class Label>
std::optional<LabelRange> labels_in(const Column& column, std::int64_t count) {
  const std::span all(reinterpret_cast<const Label*>(column.bytes.data()),
                      column.bytes.size() / sizeof(Label));
  return range_of_labels(all.first(static_cast<std::size_t>(count * column.row_elements)),
                         column.row_elements);
}

std::optional<LabelRange> labels_in(const Column& column, std::int64_t count) {
  if (column.kind == ColumnKind::u8_labels) return labels_in<std::uint8_t>(column, count);
  if (column.kind == ColumnKind::i32_labels) return labels_in<std::int32_t>(column, count);
  return std::nullopt;
}

/// How many labels a node has something for, and which of its operands they are.
struct LabelUse {
  std::int64_t depth = 0;
  NodeId labels = 0;
};

std::optional<LabelUse> use_of_labels(const Graph& graph, const Node& node) {
  if (node.op->name == "one_hot") return LabelUse{node.attributes.integer("depth"), node.inputs[0]};
  if (node.op->name != "gather") return std::nullopt;
  const Dim& rows = graph.node(node.inputs[0]).type.shape.front();
  if (!rows.is_number()) return std::nullopt;
  return LabelUse{rows.offset, node.inputs[1]};
}

Error no_place_for(const LabelRange& labels, const LabelUse& use, const Node& node,
                   const std::string& source) {
  const bool from_one = labels.lowest == 1 && labels.highest == use.depth;
  const std::int64_t bad = labels.lowest < 0 ? labels.lowest : labels.highest;
  const std::string row = labels.lowest < 0 || !labels.row ? "" : fmt::format(" (row {})", *labels.row);
  return Error(
      ErrorCode::data,
      fmt::format("label {}{}, but depth {}: {} takes the labels 0 to {}, and those of {} go from {} to "
                  "{}{}",
                  bad, row, use.depth, node.op->name, use.depth - 1, source, labels.lowest, labels.highest,
                  from_one ? "; they begin at 1: write labels: {first: 1} beside their file or column, or "
                             "give the model one class more"
                           : ""),
      node.origin ? node.origin->where : SourceLocation{}, shown(node));
}

// ---- Ranges ----

struct Range {
  double lowest = 0;
  double highest = 0;
};

std::optional<Range> range_of(const Column& column) {
  if (column.kind != ColumnKind::f32_values || column.bytes.size() < sizeof(float)) return std::nullopt;
  const std::span<const float> values(reinterpret_cast<const float*>(column.bytes.data()),
                                      column.bytes.size() / sizeof(float));
  const auto [lowest, highest] = std::minmax_element(values.begin(), values.end());
  return Range{*lowest, *highest};
}

/// Whether a node is the logarithm of a probability, or a logit whose softplus the model takes too.
bool is_of_probability(const Graph& graph, NodeId id, const std::set<NodeId>& logits) {
  return graph.node(id).op->name == "log" || logits.contains(id);
}

std::set<NodeId> operands_of_softplus(const Graph& graph) {
  std::set<NodeId> operands;
  for (const Node& node : graph.nodes())
    if (node.op->name == "softplus") operands.insert(node.inputs.front());
  return operands;
}

}  // namespace

std::vector<Error> label_faults(const ModelDefinition& model, const std::map<std::string, LabelRange>& ranges,
                                const std::string& source) {
  std::vector<Error> faults;
  for (const Node& node : model.graph.nodes()) {
    const std::optional<LabelUse> use = use_of_labels(model.graph, node);
    if (!use) continue;
    const Node& input = source_of(model.graph, use->labels);
    const auto range = ranges.find(input.name);
    if (!input.op->traits.input || range == ranges.end()) continue;
    if (range->second.highest >= use->depth || range->second.lowest < 0)
      faults.push_back(no_place_for(range->second, *use, node, source));
  }
  return faults;
}

void require_labels_fit(const ModelDefinition& model, const Examples& examples, const std::string& source) {
  std::map<std::string, LabelRange> ranges;
  for (const auto& [name, column] : examples.columns)
    if (const std::optional<LabelRange> range = labels_in(column, examples.count))
      ranges.emplace(name, *range);
  if (const std::vector<Error> faults = label_faults(model, ranges, source); !faults.empty())
    throw faults.front();
}

std::vector<std::string> notes_on_ranges(const ModelDefinition& model, const Examples& examples) {
  const Graph& graph = model.graph;
  const std::set<NodeId> logits = operands_of_softplus(graph);
  std::set<std::string> told;
  std::vector<std::string> notes;
  for (const Node& node : graph.nodes()) {
    if (node.op->name != "mul") continue;
    for (const auto& [target, other] :
         {std::pair(node.inputs[0], node.inputs[1]), std::pair(node.inputs[1], node.inputs[0])}) {
      const Column* column = column_of(graph, target, examples);
      if (column == nullptr || !is_of_probability(graph, other, logits)) continue;
      const std::optional<Range> range = range_of(*column);
      const std::string& input = source_of(graph, target).name;
      if (!range || (range->lowest >= 0 && range->highest <= 1) || !told.insert(input).second) continue;
      notes.push_back(fmt::format(
          "'{}' takes the values of '{}' for probabilities, but they go from {:.6g} to {:.6g}: such a "
          "loss falls without end; bring them between 0 and 1 (`divide_by:` under `data:`), or take "
          "another loss, such as mse",
          shown(node), input, range->lowest, range->highest));
    }
  }
  return notes;
}

}  // namespace graphrun::train
