#include "language/expand/expand_nodes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "language/expand/expand_blocks.hpp"
#include "language/expand/formula.hpp"
#include "language/expand/key.hpp"
#include "language/expand/mistakes.hpp"
#include "language/expand/scope_values.hpp"

namespace graphrun {
namespace {

const BlockMentions& mentions_of_block(const Scope& scope) {
  const auto [known, is_new] = scope.model.mentions.try_emplace(scope.block);
  if (is_new) known->second = mentions_of(*scope.block, scope.model.budget());
  return known->second;
}

/// The nodes that are mentioned, also by the defaults of arguments that this call leaves at them.
std::set<std::string> needed_nodes(const Scope& scope, const Mentions& mentions) {
  std::set<std::string> nodes = mentions.nodes;
  if (scope.block == nullptr) return nodes;
  const std::map<std::string, Mentions>& defaults = mentions_of_block(scope).arguments;
  std::set<std::string> followed;
  std::vector<std::string> values(mentions.values.begin(), mentions.values.end());
  while (!values.empty()) {
    const std::string value = std::move(values.back());
    values.pop_back();
    const auto found = defaults.find(value);
    const bool given = scope.arguments.contains(value);
    if (found == defaults.end() || given || !followed.insert(value).second) continue;
    nodes.insert(found->second.nodes.begin(), found->second.nodes.end());
    values.insert(values.end(), found->second.values.begin(), found->second.values.end());
  }
  return nodes;
}

NodeOrder order_in(const Scope& scope, const std::vector<NodeDeclaration>& nodes) {
  Needs needs(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (scope.instances.contains(nodes[i].name)) continue;  // an input, which has been reported
    if (scope.block != nullptr) {
      needs[i] = needed_nodes(scope, mentions_of_block(scope).nodes[i]);
    } else {
      Mentions mentions;
      mentions.add(nodes[i], scope.model.budget());
      needs[i] = std::move(mentions.nodes);
    }
  }
  return order_of(nodes, std::move(needs));
}

/// What `repeat:` says. Not known as long as it asks for the size of a node that is not made yet.
const std::optional<Value>& copies_of(Scope& scope, const NodeDeclaration& declared) {
  static const std::optional<Value> unknown;
  const auto known = scope.copies.find(&declared);
  if (known != scope.copies.end()) return known->second;
  Mentions mentions;
  mentions.add_value(*declared.repeat, scope.model.budget());
  for (const std::string& name : needed_nodes(scope, mentions))
    if (!scope.instances.contains(name)) return unknown;
  return scope.copies[&declared] = value_of(scope, *declared.repeat);
}

/// The parameters of a block that nothing of what comes out is computed from, and what only they are for: a
/// bias that is not added is not there.
std::set<std::string> needless(Scope& scope, const std::vector<NodeDeclaration>& nodes,
                               const NodeOrder& ordered) {
  const auto is_parameter = [](const NodeDeclaration& declared) {
    return declared.kind == NodeDeclaration::Kind::call && declared.op.text == "param";
  };
  if (scope.block == nullptr || std::ranges::none_of(nodes, is_parameter)) return {};
  Mentions needed;
  for (const BlockDeclaration::Name& output : scope.block->outputs) needed.nodes.insert(output.text);
  for (auto i = ordered.order.rbegin(); i != ordered.order.rend(); ++i) {  // users before what they use
    const NodeDeclaration& declared = nodes[*i];
    if (!needed.nodes.contains(declared.name)) continue;
    const bool chained = declared.repeat && !declared.inputs.empty();
    const std::optional<Value> copies = chained ? copies_of(scope, declared) : std::nullopt;
    const bool none = copies && ((copies->integer() != nullptr && *copies->integer() == 0) ||
                                 (copies->list() != nullptr && copies->list()->empty()));
    if (none) {
      needed.add_text(declared.inputs.front().text, scope.model.budget());
    } else {
      needed.nodes.insert(ordered.needs[*i].begin(), ordered.needs[*i].end());
    }
  }
  std::set<std::string> result;
  for (const std::size_t i : ordered.order) {
    if (needed.nodes.contains(nodes[i].name)) continue;
    const bool in_vain =
        std::ranges::any_of(ordered.needs[i], [&](const std::string& name) { return result.contains(name); });
    if (is_parameter(nodes[i]) || in_vain) result.insert(nodes[i].name);
  }
  return result;
}

void expand_in_order(Scope& scope, const std::vector<NodeDeclaration>& nodes, const NodeOrder& ordered) {
  for (const std::vector<std::size_t>& circle : ordered.circles) {
    const NodeDeclaration& first = nodes[circle.front()];
    report(scope, first.place,
           circle.size() == 1 ? fmt::format("node '{}' needs itself", first.name)
                              : fmt::format("these nodes need each other: {}", circle_text(nodes, circle)),
           "Values flow one way; break the cycle.");
    for (const std::size_t node : circle) scope.instances[nodes[node].name] = {};
  }
  const std::set<std::string> left_out = needless(scope, nodes, ordered);
  for (const std::size_t i : ordered.order) {
    const NodeDeclaration& declared = nodes[i];
    if (left_out.contains(declared.name)) continue;
    if (scope.instances.contains(declared.name)) continue;  // in a circle, or an input
    const std::string path = scope.path.empty() ? declared.name : scope.path + "." + declared.name;
    const bool comes_out = scope.block != nullptr && declared.name == scope.block->outputs.front().text;
    Instance instance = make(scope, declared, path, comes_out ? scope.display : path);
    scope.instances[declared.name] = std::move(instance);
  }
}

/// The text of a name or a reference; empty when it is neither.
std::optional<std::string> joined_pieces(Scope& scope, const YamlNode& text) {
  try {
    const Expression e = parse_expression(text.text, Grammar::formula, scope.model.budget());
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

bool is_path(std::string_view text) {
  if (!is_identifier(text.substr(0, text.find('.')))) return false;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('.', at), text.size());
    const std::string_view piece = text.substr(at, end - at);
    const bool number = !piece.empty() && piece.find_first_not_of("0123456789") == std::string_view::npos;
    if (!number && !is_identifier(piece)) return false;
    at = end + 1;
  }
  return true;
}

/// `enc`, `enc.0`, `enc.$index`, or a value that is such a text.
std::optional<std::string> written_path(Scope& scope, const YamlNode& text) {
  std::optional<std::string> path = "";
  if (text.is_scalar() && is_value_reference(text.text)) {
    const std::optional<Value> written = value_of(scope, text);
    if (!written) return std::nullopt;
    path = to_string(*written);
  } else if (text.is_scalar()) {
    path = joined_pieces(scope, text);
  }
  if (!path || is_path(*path)) return path;
  report(scope, text.place,
         fmt::format("`params:` is a path, not {}", path->empty() ? describe_kind(text) : "'" + *path + "'"),
         "A path has names and numbers with dots between: enc.0, enc.$index.");
  return std::nullopt;
}

/// The path of a node's parameters: its own, unless `params:` says another, from the block it stands in or,
/// with a slash in front, from the file.
std::optional<std::string> params_of(Scope& scope, const NodeDeclaration& declared, const std::string& path) {
  if (!declared.params) return scope.block == nullptr ? path : scope.params + path.substr(scope.path.size());
  const bool from_file = declared.params->text.starts_with('/');
  YamlNode text = *declared.params;
  if (from_file) text.text.erase(0, 1);
  const std::optional<std::string> written = written_path(scope, text);
  if (!written || scope.block == nullptr || from_file) return written;
  return scope.params + "." + *written;
}

/// A call, once its op and inputs are known. `first`: in a repeat, the copy before, in place of the first
/// input.
Instance make_call(Scope& scope, const NodeDeclaration& declared, const std::string& path,
                   const std::string& params, const std::string& display, std::optional<NodeId> first) {
  const auto chosen = scope.standard ? written_argument(scope, declared.op) : std::nullopt;
  CallSite site{.op = {},
                .place = chosen ? chosen->place : declared.op.place,
                .inputs = {},
                .input_places = {},
                .inputs_place = declared.inputs_place,
                .attributes = {},
                .path = path,
                .params = params,
                .display = display};
  const std::optional<Value> op = value_of(scope, declared.op);
  if (op && op->text() != nullptr) {
    site.op = *op->text();
  } else if (op) {
    report(scope, declared.op.place,
           fmt::format("`op:` is the name of an op or block, not {}", described(*op)));
  }
  for (std::size_t i = 0; i < declared.inputs.size(); ++i) {
    const std::optional<NodeId> input =
        i == 0 && first ? first : formula(scope, declared.inputs[i], fmt::format("{}/in{}", path, i), "");
    if (input) site.inputs.push_back(*input);
    site.input_places.push_back(declared.inputs[i].place);
  }
  for (const YamlEntry& entry : declared.attributes)
    site.attributes.push_back({entry.key, entry.place, entry.value.place, &entry.value, nullptr});
  if (site.op.empty()) return {};
  if (site.inputs.size() < declared.inputs.size()) {
    is_callable(scope, site);
    return {};
  }
  const std::optional<NodeId> input = site.inputs.empty() ? std::nullopt : std::optional(site.inputs.front());
  Instance made = call(scope, std::move(site));
  made.input = input;
  return made;
}

/// What `repeat:` says as a count of copies; nothing when it is wrong.
std::optional<std::int64_t> count_of(const Scope& scope, const NodeDeclaration& declared, const Value& over) {
  const std::int64_t count = over.integer() != nullptr ? *over.integer()
                             : over.list() != nullptr  ? static_cast<std::int64_t>(over.list()->size())
                                                       : -1;
  const std::size_t room = scope.model.budget().left(Resource::nodes);
  if (count < 0) {
    report(scope, declared.repeat->place,
           fmt::format("`repeat:` is a list or a count, not {}", described(over)));
  } else if (static_cast<std::uint64_t>(count) > room) {
    report(scope, declared.repeat->place,
           fmt::format("{} copies are too many: the budget of nodes has room for {}", count, room),
           "Repeat less.");
  } else if (declared.kind != NodeDeclaration::Kind::call || declared.inputs.empty()) {
    report(scope, declared.repeat->place, "a repeat chains copies through the first input, but there is none",
           "Give it one: in: x.");
  } else {
    return count;
  }
  return std::nullopt;
}

Instance repeated(Scope& scope, const NodeDeclaration& declared, const std::string& path) {
  std::optional<Value> over = copies_of(scope, declared);
  if (!over && !scope.copies.contains(&declared)) over = value_of(scope, *declared.repeat);
  if (!over) return {};
  const std::optional<std::int64_t> count = count_of(scope, declared, *over);
  if (!count) return {};
  Instance chain{.node = formula(scope, declared.inputs.front(), path, ""), .repeated = true};
  const std::optional<Value> outer_item = std::exchange(scope.item, std::nullopt);
  const std::optional<Value> outer_index = std::exchange(scope.index, std::nullopt);
  for (std::int64_t i = 0; i < *count && chain.node; ++i) {
    scope.item = over->list() == nullptr ? Value{i} : (*over->list())[static_cast<std::size_t>(i)];
    scope.index = Value{i};
    const std::string own = fmt::format("{}.{}", path, i);
    scope.node = own;
    if (!scope.standard) scope.shown_node = own;
    const std::optional<std::string> params = params_of(scope, declared, own);
    Instance copy = params ? make_call(scope, declared, own, *params, own, chain.node) : Instance{};
    chain.node = copy.node;
    chain.outputs = copy.outputs;
    chain.copies.push_back(std::move(copy));
  }
  scope.item = outer_item;
  scope.index = outer_index;
  return chain;
}

Instance make_schedule(Scope& scope, const NodeDeclaration& declared, const std::string& display) {
  const std::optional<Schedule> found = schedule(scope, declared.value);
  if (!found || !claim_name(scope, declared.place, display, "node")) return {};
  return {.node = scheduled_input(scope.model, *found, display)};
}

Instance make_by_kind(Scope& scope, const NodeDeclaration& declared, const std::string& path,
                      const std::string& display) {
  using Kind = NodeDeclaration::Kind;
  if (declared.kind == Kind::broken) return {};
  if (declared.repeat) return repeated(scope, declared, path);
  const std::optional<std::string> params = params_of(scope, declared, path);
  if (!params) return {};
  if (declared.kind == Kind::call) return make_call(scope, declared, path, *params, display, std::nullopt);
  Instance made = declared.kind == Kind::schedule
                      ? make_schedule(scope, declared, display)
                      : Instance{.node = formula(scope, declared.value, path, display)};
  made.params = *params;
  return made;
}

void begin(Scope& scope, const Place& place, const std::string& path) {
  scope.node = path;
  scope.node_place = place;
  if (!scope.standard) scope.shown_node = path;
}

}  // namespace

void expand(Scope& scope, const std::vector<NodeDeclaration>& nodes) {
  for (const NodeDeclaration& declared : nodes) {
    if (!scope.instances.contains(declared.name)) continue;
    report(scope, declared.place,
           fmt::format("'{}' is an input already; a node needs a name of its own", declared.name));
  }
  if (scope.block == nullptr || !mentions_of_block(scope).arguments.empty())
    return expand_in_order(scope, nodes, order_in(scope, nodes));
  const auto [known, is_new] = scope.model.orders.try_emplace(scope.block);
  if (is_new) known->second = order_in(scope, nodes);
  expand_in_order(scope, nodes, known->second);
}

Instance make(Scope& scope, const NodeDeclaration& declared, const std::string& path,
              const std::string& display) {
  begin(scope, declared.place, path);
  try {
    Instance made = make_by_kind(scope, declared, path, display);
    scope.node.clear();
    return made;
  } catch (const OverBudget& over) {
    abandon(scope, declared.place, over);
  }
}

std::optional<NodeId> apply(Expansion& model, const NodeDeclaration& declared, NodeId input,
                            const std::string& path) {
  NodeDeclaration with_input = declared;
  with_input.inputs.emplace_back();  // `input` takes its place
  begin(model.top, declared.place, path);
  const Instance made = declared.kind == NodeDeclaration::Kind::call
                            ? make_call(model.top, with_input, path, path, path, input)
                            : Instance{};
  model.top.node.clear();
  return made.node;
}

}  // namespace graphrun
