// Nodes: their order, repeats, and what one entry makes.
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "language/expand/expander.hpp"
#include "language/expand/formula_builder.hpp"

namespace graphrun {
namespace {

void collect_from_text(const std::string& text, Budget& budget, std::set<std::string>& names) {
  try {
    collect_references(parse_expression(text, Grammar::formula, budget), names);
  } catch (const ExpressionError&) {  // reported when the node is made
  }
}

void collect_from_value(const YamlNode& node, Budget& budget, std::set<std::string>& names) {
  if (node.is_scalar() && is_value_reference(node.text)) collect_from_text(node.text, budget, names);
  for (const YamlNode& item : node.items) collect_from_value(item, budget, names);
  for (const YamlEntry& entry : node.entries) collect_from_value(entry.value, budget, names);
}

std::set<std::string> dependencies(const NodeDeclaration& declared, Budget& budget) {
  std::set<std::string> names;
  if (declared.kind == NodeDeclaration::Kind::formula) collect_from_text(declared.value.text, budget, names);
  if (declared.kind == NodeDeclaration::Kind::schedule) collect_from_value(declared.value, budget, names);
  if (declared.kind == NodeDeclaration::Kind::call) collect_from_value(declared.op, budget, names);
  for (const YamlNode& input : declared.inputs) collect_from_text(input.text, budget, names);
  for (const YamlEntry& attribute : declared.attributes) {
    const bool reference = attribute.key == "like" || attribute.key == "tie";
    if (reference && attribute.value.is_scalar()) collect_from_text(attribute.value.text, budget, names);
    collect_from_value(attribute.value, budget, names);
  }
  if (declared.repeat) collect_from_value(*declared.repeat, budget, names);
  if (declared.params) collect_from_value(*declared.params, budget, names);
  return names;
}

/// "a → b → … → z → a": of a long circle its ends.
std::string circle_text(const std::vector<NodeDeclaration>& nodes, std::span<const std::size_t> circle) {
  constexpr std::size_t shown = 6;
  std::string text;
  for (std::size_t i = 0; i <= circle.size(); ++i) {
    const bool hidden = i >= shown && i + shown < circle.size();
    if (hidden && i > shown) continue;
    text += (i > 0 ? " → " : "") + (hidden ? "…" : nodes[circle[i % circle.size()]].name);
  }
  return text;
}

/// Depth-first without recursion: a file may hold a chain of any length.
class Ordering {
 public:
  Ordering(const std::vector<NodeDeclaration>& nodes, const std::vector<std::set<std::string>>& needs)
      : nodes_(nodes), state_(nodes.size(), State::fresh) {
    for (std::size_t i = 0; i < nodes.size(); ++i) index_.emplace(nodes[i].name, i);
    for (const std::set<std::string>& names : needs) {
      std::vector<std::size_t> needed;
      for (const std::string& name : names) {
        const auto found = index_.find(name);
        if (found != index_.end()) needed.push_back(found->second);
      }
      needs_.push_back(std::move(needed));
    }
  }

  std::vector<std::size_t> order;
  std::vector<std::vector<std::size_t>> cycles;

  void run() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (state_[i] == State::fresh) visit(i);
    }
  }

 private:
  static constexpr std::size_t most_cycles = 100;
  enum class State { fresh, open, done };
  struct Step {
    std::size_t node;
    std::size_t next = 0;
  };

  void visit(std::size_t start) {
    std::vector<Step> path = {{start}};
    state_[start] = State::open;
    while (!path.empty()) {
      Step& step = path.back();
      if (step.next == needs_[step.node].size()) {
        state_[step.node] = State::done;
        order.push_back(step.node);
        path.pop_back();
        continue;
      }
      const std::size_t needed = needs_[step.node][step.next++];
      if (state_[needed] == State::fresh) {
        state_[needed] = State::open;
        path.push_back({needed});
      } else if (state_[needed] == State::open) {
        const auto first =
            std::find_if(path.begin(), path.end(), [needed](const Step& s) { return s.node == needed; });
        std::vector<std::size_t> cycle;
        for (auto at = first; at != path.end(); ++at) cycle.push_back(at->node);
        if (cycles.size() < most_cycles) cycles.push_back(std::move(cycle));
      }
    }
  }

  const std::vector<NodeDeclaration>& nodes_;
  std::vector<State> state_;
  std::map<std::string, std::size_t> index_;
  std::vector<std::vector<std::size_t>> needs_;
};

}  // namespace

/// Those of a block are worked out once.
std::shared_ptr<const Expander::Needs> Expander::needs_of(const Scope& scope,
                                                          const std::vector<NodeDeclaration>& nodes) {
  const bool whole_block = scope.block != nullptr && &nodes == &scope.block->nodes;
  if (whole_block && needs_.contains(scope.block)) return needs_.at(scope.block);
  Needs needs;
  for (const NodeDeclaration& declared : nodes) needs.push_back(dependencies(declared, budget_));
  auto shared = std::make_shared<const Needs>(std::move(needs));
  if (whole_block) needs_[scope.block] = shared;
  return shared;
}

std::vector<std::size_t> Expander::order(Scope& scope, const std::vector<NodeDeclaration>& nodes,
                                         const Needs& needs) {
  Ordering ordering(nodes, needs);
  ordering.run();
  for (std::vector<std::size_t>& cycle : ordering.cycles) {
    // The one written first comes first, however the search found it.
    std::rotate(cycle.begin(), std::min_element(cycle.begin(), cycle.end()), cycle.end());
    const NodeDeclaration& declared = nodes[cycle.front()];
    report(scope, declared.place,
           cycle.size() == 1 ? fmt::format("node '{}' needs itself", declared.name)
                             : fmt::format("these nodes need each other: {}", circle_text(nodes, cycle)),
           "Values flow one way; break the cycle.");
    for (const std::size_t node : cycle) scope.instances[nodes[node].name] = {};
  }
  return std::move(ordering.order);
}

void Expander::expand(Scope& scope, const std::vector<NodeDeclaration>& nodes) {
  const auto is_input = [&scope](const NodeDeclaration& declared) {
    return scope.instances.count(declared.name) != 0;
  };
  if (std::any_of(nodes.begin(), nodes.end(), is_input)) {
    std::vector<NodeDeclaration> others;
    for (const NodeDeclaration& declared : nodes) {
      if (is_input(declared)) {
        report(scope, declared.place,
               fmt::format("'{}' is an input already; a node needs a name of its own", declared.name));
      } else {
        others.push_back(declared);
      }
    }
    return expand(scope, others);
  }
  const std::shared_ptr<const Needs> needs = needs_of(scope, nodes);
  const std::vector<std::size_t> ordered = order(scope, nodes, *needs);
  const std::set<std::string> left_out = needless(scope, nodes, *needs, ordered);
  for (const std::size_t i : ordered) {
    const NodeDeclaration& declared = nodes[i];
    if (left_out.contains(declared.name)) continue;
    if (scope.instances.count(declared.name) != 0) continue;  // in a cycle
    const std::string path = scope.path.empty() ? declared.name : scope.path + "." + declared.name;
    const bool comes_out = scope.block != nullptr && declared.name == scope.block->outputs.front().text;
    Instance instance = make(scope, declared, path, comes_out ? scope.display : path);
    scope.instances[declared.name] = std::move(instance);
  }
}

/// The parameters of a block that nothing of what comes out is computed from, and what only they are for:
/// a bias that is not added is not there.
std::set<std::string> Expander::needless(Scope& scope, const std::vector<NodeDeclaration>& nodes,
                                         const Needs& needs, const std::vector<std::size_t>& order) {
  const auto is_parameter = [](const NodeDeclaration& declared) {
    return declared.kind == NodeDeclaration::Kind::call && declared.op.text == "param";
  };
  if (scope.block == nullptr || std::none_of(nodes.begin(), nodes.end(), is_parameter)) return {};
  std::set<std::string> needed;
  for (const BlockDeclaration::Name& output : scope.block->outputs) needed.insert(output.text);
  for (auto i = order.rbegin(); i != order.rend(); ++i) {  // users before what they use
    const NodeDeclaration& declared = nodes[*i];
    if (!needed.contains(declared.name)) continue;
    const bool chained = declared.repeat && !declared.inputs.empty();
    const std::optional<Value> copies = chained ? copies_of(scope, declared) : std::nullopt;
    const bool none = copies && ((copies->integer() != nullptr && *copies->integer() == 0) ||
                                 (copies->list() != nullptr && copies->list()->empty()));
    if (none) {
      collect_from_text(declared.inputs.front().text, budget_, needed);
    } else {
      needed.insert(needs[*i].begin(), needs[*i].end());
    }
  }
  std::set<std::string> result;
  for (const std::size_t i : order) {
    if (needed.contains(nodes[i].name)) continue;
    const bool in_vain = std::any_of(needs[i].begin(), needs[i].end(),
                                     [&](const std::string& name) { return result.contains(name); });
    if (is_parameter(nodes[i]) || in_vain) result.insert(nodes[i].name);
  }
  return result;
}

/// What `repeat:` says. Not known as long as it asks for the size of a node that is not made yet.
const std::optional<Value>& Expander::copies_of(Scope& scope, const NodeDeclaration& declared) {
  static const std::optional<Value> unknown;
  const auto known = scope.copies.find(&declared);
  if (known != scope.copies.end()) return known->second;
  std::set<std::string> sizes;
  collect_from_value(*declared.repeat, budget_, sizes);
  for (const std::string& name : sizes)
    if (!scope.instances.contains(name)) return unknown;
  return scope.copies[&declared] = value(scope, *declared.repeat);
}

Instance Expander::make(Scope& scope, const NodeDeclaration& declared, const std::string& path,
                        const std::string& display) {
  scope.node = path;
  scope.node_place = declared.place;
  if (!scope.standard) scope.shown_node = path;
  Instance result;
  try {
    if (declared.kind == NodeDeclaration::Kind::broken) throw Poisoned{};
    result = declared.repeat
                 ? repeated(scope, declared, path)
                 : single(scope, declared, path, params_of(scope, declared, path), display, std::nullopt);
  } catch (const Poisoned&) {
    result = {};
  } catch (const OverBudget& over) {
    abandon(scope, declared.place, over);
  }
  scope.node.clear();
  return result;
}

/// The path of a node's parameters: its own, unless `params:` says another, from the block it stands in or,
/// with a slash in front, from the file.
std::string Expander::params_of(Scope& scope, const NodeDeclaration& declared, const std::string& path) {
  if (!declared.params) return scope.block == nullptr ? path : scope.params + path.substr(scope.path.size());
  const bool from_file = declared.params->text.starts_with('/');
  YamlNode text = *declared.params;
  if (from_file) text.text.erase(0, 1);
  const std::optional<std::string> written = written_path(scope, text);
  if (!written) throw Poisoned{};
  return scope.block == nullptr || from_file ? *written : scope.params + "." + *written;
}

/// The text of a name or a reference; empty when it is neither.
std::optional<std::string> Expander::joined_pieces(Scope& scope, const YamlNode& text) {
  try {
    const Expression e = parse_expression(text.text, Grammar::formula, budget_);
    if (e.kind == Expression::Kind::name) return e.name;
    if (e.kind != Expression::Kind::reference) return "";
    std::string path = e.children.front().name;
    for (std::size_t i = 1; i < e.children.size(); ++i) {
      const std::optional<Value> piece = evaluated(scope, e.children[i], text);
      if (!piece) return std::nullopt;
      path += "." + to_string(*piece);
    }
    return path;
  } catch (const ExpressionError&) {
    return "";
  }
}

/// `enc`, `enc.0`, `enc.$index`, or a value that is such a text.
std::optional<std::string> Expander::written_path(Scope& scope, const YamlNode& text) {
  const auto is_piece = [](std::string_view piece) {
    return is_identifier(piece) ||
           (!piece.empty() && piece.find_first_not_of("0123456789") == std::string_view::npos);
  };
  std::string path;
  if (text.is_scalar() && is_value_reference(text.text)) {
    const std::optional<Value> written = value(scope, text);
    if (!written) return std::nullopt;
    path = to_string(*written);
  } else if (text.is_scalar()) {
    std::optional<std::string> pieces = joined_pieces(scope, text);
    if (!pieces) return std::nullopt;
    path = std::move(*pieces);
  }
  bool whole = !path.empty() && is_identifier(path.substr(0, path.find('.')));
  for (std::size_t at = 0; whole && at <= path.size();) {
    const std::size_t end = std::min(path.find('.', at), path.size());
    whole = is_piece(std::string_view(path).substr(at, end - at));
    at = end + 1;
  }
  if (whole) return path;
  report(scope, text.place,
         fmt::format("`params:` is a path, not {}", path.empty() ? describe_kind(text) : "'" + path + "'"),
         "A path has names and numbers with dots between: enc.0, enc.$index.");
  return std::nullopt;
}

Instance Expander::repeated(Scope& scope, const NodeDeclaration& declared, const std::string& path) {
  std::optional<Value> over = copies_of(scope, declared);
  if (!over && !scope.copies.contains(&declared)) over = value(scope, *declared.repeat);
  if (!over) return {};
  const bool counted = over->integer() != nullptr;
  const std::int64_t count = counted                   ? *over->integer()
                             : over->list() != nullptr ? static_cast<std::int64_t>(over->list()->size())
                                                       : -1;
  if (count < 0) {
    report(scope, declared.repeat->place,
           fmt::format("`repeat:` is a list or a count, not {}", described(*over)));
    return {};
  }
  if (static_cast<std::uint64_t>(count) > budget_.left(Resource::nodes)) {
    report(scope, declared.repeat->place,
           fmt::format("{} copies are too many: the budget of nodes has room for {}", count,
                       budget_.left(Resource::nodes)),
           "Repeat less.");
    return {};
  }
  if (declared.kind != NodeDeclaration::Kind::call || declared.inputs.empty()) {
    report(scope, declared.repeat->place, "a repeat chains copies through the first input, but there is none",
           "Give it one: in: x.");
    return {};
  }
  Instance chain;
  chain.repeated = true;
  chain.node = formula(scope, declared.inputs.front(), path, "");
  const std::optional<Value> outer_item = std::exchange(scope.item, std::nullopt);
  const std::optional<Value> outer_index = std::exchange(scope.index, std::nullopt);
  for (std::int64_t i = 0; i < count && chain.node; ++i) {
    scope.item = counted ? Value{i} : (*over->list())[static_cast<std::size_t>(i)];
    scope.index = Value{i};
    const std::string suffix = fmt::format(".{}", i);
    scope.node = path + suffix;
    if (!scope.standard) scope.shown_node = scope.node;
    Instance copy;
    try {
      copy = single(scope, declared, path + suffix, params_of(scope, declared, path + suffix), path + suffix,
                    chain.node);
    } catch (const Poisoned&) {
    }
    chain.node = copy.node;
    chain.outputs = copy.outputs;
    chain.copies.push_back(std::move(copy));
  }
  scope.item = outer_item;
  scope.index = outer_index;
  return chain;
}

/// `first`: in a repeat, the copy before, in place of the first input.
Instance Expander::single(Scope& scope, const NodeDeclaration& declared, const std::string& path,
                          const std::string& params, const std::string& display,
                          std::optional<NodeId> first) {
  Instance instance;
  instance.params = params;
  if (declared.kind == NodeDeclaration::Kind::formula) {
    instance.node = formula(scope, declared.value, path, display);
    return instance;
  }
  if (declared.kind == NodeDeclaration::Kind::schedule) {
    const std::optional<Schedule> found = schedule(scope, declared.value);
    if (found && claim(scope, declared.place, names_, display, "node"))
      instance.node = scheduled_input(*found, display);
    return instance;
  }
  CallSite site;
  site.path = path;
  site.params = params;
  site.display = display;
  const std::optional<Place> chosen = scope.standard ? place_of_argument(scope, declared.op) : std::nullopt;
  site.place = chosen ? *chosen : declared.op.place;
  site.inputs_place = declared.inputs_place;
  const std::optional<Value> op = value(scope, declared.op);
  bool known = op.has_value();
  if (op && op->text() == nullptr) {
    report(scope, declared.op.place,
           fmt::format("`op:` is the name of an op or block, not {}", described(*op)));
    known = false;
  } else if (op) {
    site.op = *op->text();
  }
  for (std::size_t i = 0; i < declared.inputs.size(); ++i) {
    const std::optional<NodeId> input =
        i == 0 && first ? first : formula(scope, declared.inputs[i], fmt::format("{}/in{}", path, i), "");
    known = known && input;
    if (input) site.inputs.push_back(*input);
    site.input_places.push_back(declared.inputs[i].place);
  }
  for (const YamlEntry& entry : declared.attributes) {
    site.attributes.push_back({entry.key, entry.place, entry.value.place, &entry.value, nullptr});
  }
  if (known) {
    const std::optional<NodeId> input =
        site.inputs.empty() ? std::nullopt : std::optional(site.inputs.front());
    Instance made = call(scope, std::move(site));
    made.input = input;
    return made;
  }
  if (!site.op.empty()) callable(scope, site);
  return {};
}

std::optional<NodeId> Expander::apply(const NodeDeclaration& declared, NodeId input,
                                      const std::string& path) {
  NodeDeclaration with_input = declared;
  with_input.inputs.emplace_back();  // `input` takes its place
  top_.node = path;
  top_.node_place = declared.place;
  top_.shown_node = path;
  std::optional<NodeId> made;
  try {
    if (declared.kind == NodeDeclaration::Kind::call)
      made = single(top_, with_input, path, path, path, input).node;
  } catch (const Poisoned&) {  // reported
  }
  top_.node.clear();
  return made;
}

std::optional<NodeId> Expander::formula(Scope& scope, const YamlNode& text, const std::string& path,
                                        const std::string& display) {
  try {
    const Expression expression = parse_expression(text.text, Grammar::formula, budget_);
    return FormulaBuilder(*this, scope, text, path, display).whole(expression);
  } catch (const ExpressionError& error) {
    report(scope, place_in(text, error.offset(), diagnostics_.sources()), error.what(), error.fix());
  } catch (const Poisoned&) {
  }
  return std::nullopt;
}

}  // namespace graphrun
