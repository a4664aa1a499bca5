#include "runtime/shards/sections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "graph/needed.hpp"
#include "graph/passes/apply_rules.hpp"

namespace graphrun::runtime {
namespace {

/// What a value is to the rows of the batch.
enum class Spread : std::uint8_t {
  whole,  ///< depends on no single row: the same in every shard
  rows,   ///< has a part for each row, which depends on that row alone
  sum,    ///< the sum of what each row gives
  all     ///< needs the rows of all shards at once
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

[[noreturn]] void refuse(const Node& node, const std::string& why) {
  const SourceLocation where = node.origin ? node.origin->where : SourceLocation{};
  const std::string path = node.origin && !node.origin->path.empty() ? node.origin->path : node.name;
  throw ModelError(
      {Diagnostic{where,
                  path,
                  node.op->name,
                  fmt::format("{}, so the batch cannot be cut into shards", why),
                  {},
                  "Write `gather_rows: true` beside `shards:`, and each process gets the rows of all for it; "
                  "or leave `shards:` out: then one process learns from the whole batch.",
                  node.origin ? node.origin->notes : std::vector<Diagnostic::Note>{}}});
}

class Cutter {
 public:
  Cutter(const Graph& graph, const OpRegistry& registry, Mixing mixing)
      : graph_(graph), registry_(registry), mixing_(mixing), places_(graph.size()) {
    for (NodeId id = 0; id < graph.size(); ++id) {
      const Place& made = places_[id] = place(id);
      if (made.spread == Spread::sum || made.spread == Spread::all) last_ = std::max(last_, made.known_in);
    }
  }

  Sections cut() {
    Sections result;
    result.sections.resize(last_ + 1);
    // From the last one on: what later sections need is what earlier ones must hand on.
    for (std::size_t section = last_ + 1; section-- > 0;) {
      result.sections[section] = make(section);
      make_together(section, result.sections[section]);
    }
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
    bool of_all = false;
    for (const NodeId input : node.inputs) {
      const Place& from = places_[input];
      made.section = std::max(made.section, from.known_in);
      of_all = of_all || (from.spread == Spread::all && has_batch(graph_.node(input).type));
      if (from.spread != Spread::rows) continue;
      of_rows = true;
      of_given = of_given || from.given;
    }
    made.known_in = made.section;
    if (!of_rows && !of_all && !has_batch(node.type)) return made;
    if (node.op->traits.effect) refuse(node, "it looks at single rows");
    if (of_all && !of_given) return place_of_all(node);
    made.given = of_given || of_all;
    const std::string why = place_in_shard(node, made);
    if (why.empty()) return made;
    if (mixing_ == Mixing::refuse) refuse(node, why);
    return place_of_all(node);
  }

  /// A `size` whose operand's rows are all that it looks at.
  static bool is_batch_size(const Node& node) { return node.op->traits.size; }

  /// Of the rows that it is made of all must have come before.
  Place place_of_all(const Node& node) const {
    Place made{.spread = Spread::all};
    for (const NodeId input : node.inputs) {
      const Place& from = places_[input];
      const bool gathered = from.spread == Spread::rows && from.given;
      made.section = std::max(made.section, from.known_in + (gathered ? 1 : 0));
    }
    made.known_in = made.section;
    return made;
  }

  /// As what each shard can compute it for its own rows; else why none can.
  std::string place_in_shard(const Node& node, Place& made) const {
    if (!has_batch(node.type)) {
      made.spread = Spread::sum;
      ++made.known_in;
      return why_no_sum(node);
    }
    made.spread = Spread::rows;
    const std::optional<std::size_t> axis = batch_axis(node.type);
    made.axis = axis.value_or(0);
    const bool source =
        std::ranges::none_of(node.inputs, [&](NodeId input) { return rows_axis(input).has_value(); });
    return source ? why_no_source(node, axis) : why_no_rows(node, axis);
  }

  /// The axis of the batch of a value of which a shard has its rows.
  std::optional<std::size_t> rows_axis(NodeId id) const {
    const Place& place = places_[id];
    const Type& type = graph_.node(id).type;
    if (place.spread == Spread::rows) return place.axis;
    if (place.spread == Spread::all && has_batch(type)) return batch_axis(type).value_or(type.shape.size());
    return std::nullopt;
  }

  /// Rows of all are handed out to shards where they are the first axis.
  bool is_all_without_rows(NodeId id) const {
    const Type& type = graph_.node(id).type;
    return places_[id].spread == Spread::all && has_batch(type) &&
           (batch_axis(type) != std::size_t{0} || !type.shape[0].is_batch());
  }

  static std::string why_no_source(const Node& node, std::optional<std::size_t> axis) {
    const Traits& traits = node.op->traits;
    const bool numbered =
        (traits.input || traits.random) && axis == std::size_t{0} && node.type.shape[0].is_batch();
    // A constant with a row for each of the batch's has the same number everywhere.
    if (axis && (numbered || traits.stretches || traits.constant)) return {};
    return fmt::format("its rows are not those of the batch ({})", to_string(node.type));
  }

  std::string why_no_rows(const Node& node, std::optional<std::size_t> axis) const {
    if (!axis) return fmt::format("it joins rows of the batch with others ({})", to_string(node.type));
    constexpr const char* mixes = "it mixes the rows of the batch";
    if (std::ranges::any_of(node.inputs, [&](NodeId input) { return is_all_without_rows(input); }))
      return mixes;
    // What belongs to a row of the batch stays together.
    if (node.op->traits.keeps_order && *axis == 0 && rows_axis(node.inputs[0]) == std::size_t{0}) return {};
    if (node.op->axes == nullptr) return mixes;
    const std::vector<AxisMap> maps = axis_maps(node);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const std::optional<std::size_t> from = rows_axis(node.inputs[i]);
      if (from && maps[i][*from] != static_cast<std::int64_t>(*axis)) return mixes;
    }
    return {};
  }

  std::string why_no_sum(const Node& node) const {
    constexpr const char* mixes = "it mixes the rows of the batch in another way than by a sum";
    if (!node.op->traits.adds_rows) return mixes;
    if (node.type.dtype != DType::f32) return "it adds rows of the batch that are not f32";
    if (std::ranges::any_of(node.inputs, [&](NodeId input) { return is_all_without_rows(input); }))
      return mixes;
    if (node.op->axes == nullptr) return {};
    const std::vector<AxisMap> maps = axis_maps(node);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const std::optional<std::size_t> from = rows_axis(node.inputs[i]);
      if (from && maps[i][*from] != contracted) return mixes;
    }
    return {};
  }

  std::vector<AxisMap> axis_maps(const Node& node) const {
    std::vector<Type> inputs;
    for (const NodeId input : node.inputs) inputs.push_back(graph_.node(input).type);
    return node.op->axes({inputs, node.type, node.attributes});
  }

  // ---- One section ----

  /// Does the section find it among its inputs?
  bool comes_in(NodeId id, std::size_t section) const {
    const Place& place = places_[id];
    if (is_batch_size(graph_.node(id)) || place.spread == Spread::all) return true;
    if (place.section >= section || graph_.node(id).op->traits.input) return false;
    return place.spread == Spread::sum || (place.spread == Spread::rows && place.given);
  }

  /// The same of what comes before its shards. Of the host's rows each member has its own alone.
  bool comes_in_together(NodeId id, std::size_t section) const {
    const Place& place = places_[id];
    if (is_batch_size(graph_.node(id)) || place.spread == Spread::sum) return true;
    if (place.spread == Spread::all) return place.section < section;
    return place.spread == Spread::rows && place.given && place.axis == 0;
  }

  std::vector<NodeId> roots(std::size_t section) const {
    if (section == last_) return roots_of(graph_);
    std::vector<NodeId> ids(handed_on_.begin(), handed_on_.end());
    std::erase_if(
        ids, [&](NodeId id) { return places_[id].section != section || places_[id].spread != Spread::rows; });
    for (NodeId id = 0; id < graph_.size(); ++id)
      if (places_[id].spread == Spread::sum && places_[id].section == section) ids.push_back(id);
    return ids;
  }

  Section make(std::size_t section) {
    const std::vector<NodeId> wanted = roots(section);
    Builder builder(registry_);
    const std::vector<NodeId> made = copy(
        builder, wanted, [&](NodeId id) { return comes_in(id, section); }, handed_on_);
    Section result;
    if (section == last_) {
      for (const NamedOutput& output : graph_.outputs()) builder.output(output.name, made[output.node]);
    } else {
      for (const NodeId id : wanted) {
        const Crossing crossing{crossing_name(id), graph_.node(id).type, gathered_.contains(id)};
        builder.output(crossing.name, made[id]);
        (places_[id].spread == Spread::sum ? result.sums : result.rows).push_back(crossing);
      }
    }
    result.graph = std::make_shared<const Graph>(std::move(builder).finish());
    return result;
  }

  /// What the shards of this section and all that comes later need of values made of all rows.
  void make_together(std::size_t section, Section& result) {
    std::vector<NodeId> wanted(handed_on_.begin(), handed_on_.end());
    std::erase_if(wanted, [&](NodeId id) {
      return places_[id].section != section || places_[id].spread != Spread::all;
    });
    if (wanted.empty()) return;
    Builder builder(registry_);
    std::set<NodeId> entered;
    const std::vector<NodeId> made = copy(
        builder, wanted, [&](NodeId id) { return comes_in_together(id, section); }, entered);
    for (const NodeId id : wanted) {
      result.of_all.push_back({crossing_name(id), graph_.node(id).type});
      builder.output(result.of_all.back().name, made[id]);
    }
    for (const NodeId id : entered) {
      handed_on_.insert(id);
      if (places_[id].spread == Spread::rows) gathered_.insert(id);
    }
    result.together = std::make_shared<const Graph>(std::move(builder).finish());
  }

  /// All that `wanted` needs, by the ids of the graph; what enters is an input, and noted in `entered`.
  template <class Enters>
  std::vector<NodeId> copy(Builder& builder, const std::vector<NodeId>& wanted, const Enters& enters,
                           std::set<NodeId>& entered) {
    const std::vector<bool> needed = needed_by(graph_, wanted, enters);
    std::vector<NodeId> made(graph_.size());
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (!needed[id]) continue;
      made[id] = enters(id) ? add_input(builder, id, entered) : add_copy(builder, id, made, needed);
    }
    return made;
  }

  NodeId add_input(Builder& builder, NodeId id, std::set<NodeId>& entered) {
    const Node& node = graph_.node(id);
    if (is_batch_size(node))
      note_size(node);
    else if (places_[id].spread != Spread::sum)
      entered.insert(id);
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
  Mixing mixing_;
  std::vector<Place> places_;
  std::size_t last_ = 0;
  std::set<NodeId> handed_on_;  ///< rows and values of all that are needed later
  std::set<NodeId> gathered_;   ///< those of the rows of which all are
  std::vector<BatchSize> sizes_;
};

}  // namespace

Sections cut_at_sums(const Graph& graph, const OpRegistry& registry, Mixing mixing) {
  const Graph of_sums = apply_sum_rules(graph, registry);
  return Cutter(of_sums, registry, mixing).cut();
}

}  // namespace graphrun::runtime
