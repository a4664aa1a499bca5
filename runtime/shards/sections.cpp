#include "runtime/shards/sections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "graph/needed.hpp"
#include "runtime/shards/statistics_as_sums.hpp"

namespace graphrun::runtime {
namespace {

/// What a value is to the rows of the batch.
enum class Spread : std::uint8_t {
  whole,  ///< depends on no single row: the same in every shard
  rows,   ///< has a part for each row, which depends on that row alone
  sum     ///< the sum of what each row gives
};

struct Place {
  Spread spread = Spread::whole;
  std::size_t axis = 0;  ///< rows: the axis of the batch
  bool given = true;     ///< rows: made of the host's numbers, draws or other rows, not of whole values alone
  std::size_t section = 0;   ///< in which it can be computed
  std::size_t known_in = 0;  ///< the first section that may use it
};

bool has_batch(const Type& type) {
  return std::ranges::any_of(type.shape, [](Dim dim) { return !dim.is_number(); });
}

/// The only axis that has the batch, if it has so many for each row: not twice, and no others.
std::optional<std::size_t> batch_axis(const Type& type) {
  std::optional<std::size_t> axis;
  for (std::size_t i = 0; i < type.shape.size(); ++i) {
    if (type.shape[i].is_number()) continue;
    if (axis || type.shape[i].offset != 0) return std::nullopt;
    axis = i;
  }
  return axis;
}

/// The same elements in the same order: what belongs to a row of the batch stays together.
bool keeps_order(const OpDef& op) {
  return op.name == "reshape";
}

/// Is its value over some rows, when it has none itself, the sum of its values over each of them?
bool adds_rows(const OpDef& op) {
  constexpr std::array<std::string_view, 4> names = {"sum", "matmul", "convolution_weight_gradient",
                                                     "scatter_add"};
  return std::ranges::find(names, op.name) != names.end();
}

[[noreturn]] void refuse(const Node& node, const std::string& why) {
  const SourceLocation where = node.origin ? node.origin->where : SourceLocation{};
  const std::string path = node.origin && !node.origin->path.empty() ? node.origin->path : node.name;
  throw ModelError(
      {Diagnostic{where,
                  path,
                  node.op->name,
                  fmt::format("{}, so the batch cannot be cut into shards", why),
                  {},
                  "Leave `shards:` out, or write 1: then one process learns from the whole batch.",
                  node.origin ? node.origin->notes : std::vector<Diagnostic::Note>{}}});
}

class Cutter {
 public:
  Cutter(const Graph& graph, const OpRegistry& registry)
      : graph_(graph), registry_(registry), places_(graph.size()) {
    for (NodeId id = 0; id < graph.size(); ++id) {
      places_[id] = place(id);
      if (places_[id].spread == Spread::sum) last_ = std::max(last_, places_[id].known_in);
    }
  }

  Sections cut() {
    Sections result;
    result.sections.resize(last_ + 1);
    // From the last one on: what later sections need is what earlier ones must hand on.
    for (std::size_t section = last_ + 1; section-- > 0;) result.sections[section] = make(section);
    result.sizes = std::move(sizes_);
    return result;
  }

 private:
  // ---- What each value is ----

  Place place(NodeId id) const {
    const Node& node = graph_.node(id);
    Place made;
    if (is_batch_size(node)) return made;
    bool of_rows = false;
    bool of_given = node.op->traits.input || node.op->traits.random;
    for (const NodeId input : node.inputs) {
      const Place& from = places_[input];
      made.section = std::max(made.section, from.known_in);
      if (from.spread != Spread::rows) continue;
      of_rows = true;
      of_given = of_given || from.given;
    }
    made.known_in = made.section;
    if (!of_rows && !has_batch(node.type)) return made;
    if (node.op->traits.effect) refuse(node, "it looks at single rows");
    if (has_batch(node.type)) {
      made.spread = Spread::rows;
      made.axis = of_rows ? axis_of_rows(node) : axis_of_source(node);
      made.given = of_given;
      return made;
    }
    require_adds_rows(node);
    made.spread = Spread::sum;
    made.known_in = made.section + 1;
    return made;
  }

  /// A `size` whose operand's rows are all that it looks at.
  static bool is_batch_size(const Node& node) { return node.op->traits.size; }

  std::size_t axis_of_source(const Node& node) const {
    const std::optional<std::size_t> axis = batch_axis(node.type);
    const Traits& traits = node.op->traits;
    const bool numbered =
        (traits.input || traits.random) && axis == std::size_t{0} && node.type.shape[0].is_batch();
    // A constant with a row for each of the batch's has the same number everywhere.
    if (!axis || !(numbered || traits.stretches || traits.constant))
      refuse(node, fmt::format("its rows are not those of the batch ({})", to_string(node.type)));
    return *axis;
  }

  /// Where the rows go that its inputs have.
  std::size_t axis_of_rows(const Node& node) const {
    const std::optional<std::size_t> axis = batch_axis(node.type);
    if (!axis) refuse(node, fmt::format("it joins rows of the batch with others ({})", to_string(node.type)));
    if (keeps_order(*node.op) && *axis == 0 && places_[node.inputs[0]].axis == 0) return 0;
    const std::vector<AxisMap> maps = axis_maps(node);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const Place& from = places_[node.inputs[i]];
      if (from.spread == Spread::rows && maps[i][from.axis] != static_cast<std::int64_t>(*axis))
        refuse(node, "it mixes the rows of the batch");
    }
    return *axis;
  }

  void require_adds_rows(const Node& node) const {
    if (!adds_rows(*node.op)) refuse(node, "it mixes the rows of the batch in another way than by a sum");
    if (node.type.dtype != DType::f32) refuse(node, "it adds rows of the batch that are not f32");
    if (node.op->axes == nullptr) return;
    const std::vector<AxisMap> maps = axis_maps(node);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const Place& from = places_[node.inputs[i]];
      if (from.spread == Spread::rows && maps[i][from.axis] != contracted)
        refuse(node, "it mixes the rows of the batch in another way than by a sum");
    }
  }

  std::vector<AxisMap> axis_maps(const Node& node) const {
    if (node.op->axes == nullptr) refuse(node, "it mixes the rows of the batch");
    std::vector<Type> inputs;
    for (const NodeId input : node.inputs) inputs.push_back(graph_.node(input).type);
    return node.op->axes({inputs, node.type, node.attributes});
  }

  // ---- One section ----

  /// Does the section find it among its inputs?
  bool comes_in(NodeId id, std::size_t section) const {
    const Place& place = places_[id];
    if (is_batch_size(graph_.node(id))) return true;
    if (place.section >= section || graph_.node(id).op->traits.input) return false;
    return place.spread == Spread::sum || (place.spread == Spread::rows && place.given);
  }

  std::vector<NodeId> roots(std::size_t section) const {
    if (section == last_) return roots_of(graph_);
    std::vector<NodeId> ids(handed_on_.begin(), handed_on_.end());
    std::erase_if(ids, [&](NodeId id) { return places_[id].section != section; });
    for (NodeId id = 0; id < graph_.size(); ++id)
      if (places_[id].spread == Spread::sum && places_[id].section == section) ids.push_back(id);
    return ids;
  }

  Section make(std::size_t section) {
    const std::vector<NodeId> wanted = roots(section);
    const auto enters = [&](NodeId id) { return comes_in(id, section); };
    const std::vector<bool> needed = needed_by(graph_, wanted, enters);
    Builder builder(registry_);
    std::vector<NodeId> made(graph_.size());
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (!needed[id]) continue;
      made[id] = enters(id) ? add_input(builder, id) : add_copy(builder, id, made, needed);
    }
    Section result;
    if (section == last_) {
      for (const NamedOutput& output : graph_.outputs()) builder.output(output.name, made[output.node]);
    } else {
      for (const NodeId id : wanted) {
        const Crossing crossing{crossing_name(id), graph_.node(id).type};
        builder.output(crossing.name, made[id]);
        (places_[id].spread == Spread::sum ? result.sums : result.rows).push_back(crossing);
      }
    }
    result.graph = std::make_shared<const Graph>(std::move(builder).finish());
    return result;
  }

  NodeId add_input(Builder& builder, NodeId id) {
    const Node& node = graph_.node(id);
    if (is_batch_size(node))
      note_size(node);
    else if (places_[id].spread == Spread::rows)
      handed_on_.insert(id);
    builder.set_origin(node.origin);
    return builder.add("input", {},
                       {{"shape", node.type.shape}, {"dtype", std::string(to_string(node.type.dtype))}},
                       {.name = crossing_name(id)});
  }

  NodeId add_copy(Builder& builder, NodeId id, const std::vector<NodeId>& made,
                  const std::vector<bool>& needed) const {
    const Node& node = graph_.node(id);
    std::vector<NodeId> inputs;
    for (const NodeId input : node.inputs) inputs.push_back(made[input]);
    std::vector<NodeId> controls;
    for (const NodeId control : node.controls)
      if (needed[control]) controls.push_back(made[control]);
    return builder.add_like(node, std::move(inputs), std::move(controls));
  }

  void note_size(const Node& node) {
    const std::string name = "shards/" + node.name;
    if (std::ranges::any_of(sizes_, [&](const BatchSize& size) { return size.name == name; })) return;
    sizes_.push_back({name, node, graph_.node(node.inputs.at(0)).type.shape});
  }

  std::string crossing_name(NodeId id) const { return "shards/" + graph_.node(id).name; }

  const Graph& graph_;
  const OpRegistry& registry_;
  std::vector<Place> places_;
  std::size_t last_ = 0;
  std::set<NodeId> handed_on_;  ///< rows that a later section needs
  std::vector<BatchSize> sizes_;
};

}  // namespace

Sections cut_at_sums(const Graph& graph, const OpRegistry& registry) {
  const Graph of_sums = statistics_as_sums(graph, registry);
  return Cutter(of_sums, registry).cut();
}

}  // namespace graphrun::runtime
