#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>

#include "errors/nearest.hpp"
#include "language/expand/build_nodes.hpp"
#include "language/expand/expand_nodes.hpp"
#include "language/expand/scope_values.hpp"
#include "language/recipe/sections.hpp"

namespace graphrun {
namespace {

/// What stands beside the figures of terms and metrics in logs and reports.
constexpr std::array<std::string_view, 11> other_figures = {"loss",
                                                            "count",
                                                            "step",
                                                            "epoch",
                                                            "seconds",
                                                            "images_per_second",
                                                            "rows_per_second",
                                                            "windows_per_second",
                                                            "phase",
                                                            "draw",
                                                            "layer"};

/// Every figure has a name of its own.
class FigureNamesCheck {
 public:
  explicit FigureNamesCheck(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void add(const std::string& name, const Place& place, std::string_view what) {
    if (std::find(other_figures.begin(), other_figures.end(), name) != other_figures.end()) {
      diagnostics_.error(place,
                         fmt::format("'{}' cannot name a {}: reports have a figure of this name", name, what),
                         "Choose another name.");
      return;
    }
    const auto [known, is_new] = places_.emplace(name, place);
    if (is_new) return;
    diagnostics_
        .error(place,
               fmt::format("'{}' is a term of the loss already: reports would have two figures of one name",
                           name),
               fmt::format("Give the {} another name.", what))
        .notes.push_back({diagnostics_.sources().location(known->second), "the term is here"});
  }

 private:
  Diagnostics& diagnostics_;
  std::map<std::string, Place> places_;
};

class TermBuilder {
 public:
  explicit TermBuilder(Expansion& expansion) : expansion_(expansion) {}

  /// The scalar of a term, or nothing when it is wrong.
  std::optional<NodeId> scalar(const TermDeclaration& term, const std::string& section) {
    const std::string path = section + "." + term.node.name;
    const Instance instance = make(expansion_.top, term.node, path, path + "/each");
    if (!instance.node) return std::nullopt;
    NodeId node = *instance.node;
    if (expansion_.builder.type(node).dtype != DType::f32) {
      wrong(path, term.node.place,
            fmt::format("a term is a float, not {}", to_string(expansion_.builder.type(node))));
      return std::nullopt;
    }
    if (const YamlNode* reduce = reduction_of(term)) {
      const std::optional<bool> mean = reduces_by_mean(*reduce);
      if (!mean) return std::nullopt;
      node = over_samples(node, *mean);
    }
    return over_batch(node, path, term);
  }

  std::optional<NodeId> weight(const TermDeclaration& term) {
    if (!term.weight) return expansion_.builder.constant(1);
    const std::optional<Value> value = value_of(expansion_.top, *term.weight);
    if (!value) return std::nullopt;
    if (value->schedule() != nullptr) {
      return scheduled_input(expansion_, *value->schedule(), "loss." + term.node.name + "/weight");
    }
    const std::optional<double> number = value->number();
    if (number && holds(DType::f32, *number)) return expansion_.builder.constant(*number);
    expansion_.diagnostics.error(term.weight->place,
                                 fmt::format("a weight is a number{} or a schedule, not {}",
                                             number ? " that f32 can hold" : "", described(*value)));
    return std::nullopt;
  }

 private:
  void wrong(const std::string& path, const Place& place, std::string message, std::string fix = {}) {
    expansion_.diagnostics.error(place, std::move(message), std::move(fix)).node = path;
  }

  /// What the term says, else what the block that it calls says, else nothing.
  const YamlNode* reduction_of(const TermDeclaration& term) const {
    if (term.reduce) return &*term.reduce;
    if (term.node.kind != NodeDeclaration::Kind::call) return nullptr;
    const std::optional<Value> op = value_of(expansion_.top, term.node.op);
    const BlockDeclaration* block =
        op && op->text() != nullptr ? expansion_.find_block(*op->text()) : nullptr;
    return block != nullptr && block->reduce ? &*block->reduce : nullptr;
  }

  std::optional<bool> reduces_by_mean(const YamlNode& reduce) {
    const std::optional<Value> value = value_of(expansion_.top, reduce);
    if (!value) return std::nullopt;
    const std::string word = to_string(*value);
    if (word == "mean" || word == "sum") return word == "mean";
    static const std::vector<std::string> known = {"mean", "sum"};
    expansion_.diagnostics.error(reduce.place,
                                 fmt::format("`reduce:` is mean or sum, not {}", described(*value)),
                                 suggestion(word, known));
    return std::nullopt;
  }

  NodeId sum(NodeId node, std::vector<std::int64_t> axes, bool mean) {
    Builder& builder = expansion_.builder;
    const Axes over{false, std::move(axes)};
    const NodeId total = builder.add("sum", {node}, {{"axis", over}});
    return mean ? builder.add("div", {total, builder.add("size", {node}, {{"axis", over}})}) : total;
  }

  /// Over all axes but the batch in front.
  NodeId over_samples(NodeId node, bool mean) {
    const Shape shape = expansion_.builder.type(node).shape;
    const bool rows = !shape.empty() && shape.front().is_batch();
    std::vector<std::int64_t> axes;
    for (std::size_t axis = rows ? 1 : 0; axis < shape.size(); ++axis)
      axes.push_back(static_cast<std::int64_t>(axis));
    return axes.empty() ? node : sum(node, std::move(axes), mean);
  }

  /// Weights have the mean 1 over all examples, so that the mean over the batch stays one.
  NodeId weighted(NodeId each) {
    return expansion_.weights ? expansion_.builder.add("mul", {*expansion_.weights, each}) : each;
  }

  std::optional<NodeId> over_batch(NodeId node, const std::string& path, const TermDeclaration& term) {
    const Shape shape = expansion_.builder.type(node).shape;
    bool per_sample = !shape.empty() && shape.front().is_batch();
    for (std::size_t axis = 1; axis < shape.size(); ++axis)
      per_sample = per_sample && shape[axis].is_number(1);
    if (shape.empty()) return node;
    if (per_sample) return sum(weighted(over_samples(node, false)), {0}, true);
    wrong(path, term.node.kind == NodeDeclaration::Kind::call ? term.node.op.place : term.node.value.place,
          fmt::format("a term is one number a sample, [batch], or one for all; this is {}", to_string(shape)),
          term.node.kind != NodeDeclaration::Kind::call && !term.weight
              ? fmt::format("Sum or mean? Write {{of: \"{}\", reduce: mean}}, or reduce: sum.",
                            term.node.value.text)
              : "Sum or mean? Write reduce: sum or reduce: mean.");
    return std::nullopt;
  }

  Expansion& expansion_;
};

}  // namespace

void build_terms(Expansion& expansion, ModelDefinition& model) {
  const ModelDeclaration& declared = expansion.declared;
  FigureNamesCheck names(expansion.diagnostics);
  for (const TermDeclaration& term : declared.loss) names.add(term.node.name, term.node.place, "term");
  for (const TermDeclaration& metric : declared.metrics)
    names.add(metric.node.name, metric.node.place, "metric");
  for (const ProbeDeclaration& probe : declared.probes) names.add(probe.name, probe.place, "probe");
  TermBuilder terms(expansion);
  Builder& builder = expansion.builder;
  const auto where = [&](const TermDeclaration& term) {
    return expansion.diagnostics.sources().location(term.node.place);
  };
  for (const TermDeclaration& term : declared.loss) {
    const std::optional<NodeId> value = terms.scalar(term, "loss");
    const std::optional<NodeId> weight = terms.weight(term);
    if (!value || !weight) continue;
    model.loss.push_back({{term.node.name, *value, where(term)}, *weight});
    const NodeId weighted = term.weight ? builder.add("mul", {*weight, *value}) : *value;
    model.objective = model.objective ? builder.add("add", {*model.objective, weighted}) : weighted;
  }
  for (const TermDeclaration& term : declared.metrics) {
    const std::optional<NodeId> value = terms.scalar(term, "metric");
    if (value) model.metrics.push_back({term.node.name, *value, where(term)});
  }
}

}  // namespace graphrun
