#include "language/expand/node_order.hpp"

#include <algorithm>

namespace graphrun {
namespace {

using Kind = Expression::Kind;

/// What a value mentions: other values, and the nodes whose sizes it asks for.
void add_expression(const Expression& e, Mentions& mentions) {
  if (e.kind == Kind::name) mentions.values.insert(e.name);
  const bool size = e.kind == Kind::call && (e.name == "dim" || e.name == "rank") && !e.children.empty();
  if (size) {
    const Expression& node = e.children.front();
    if (node.kind == Kind::name) mentions.nodes.insert(node.name);
    if (node.kind == Kind::reference) mentions.nodes.insert(node.children.front().name);
  }
  for (const Expression& child : e.children)
    if (!size || child.kind != Kind::name || &child != &e.children.front()) add_expression(child, mentions);
}

/// Depth-first without recursion: a file may hold a chain of any length.
class Ordering {
 public:
  Ordering(const std::vector<NodeDeclaration>& nodes, Needs needs) : state_(nodes.size(), State::fresh) {
    std::map<std::string_view, std::size_t> index;
    for (std::size_t i = 0; i < nodes.size(); ++i) index.emplace(nodes[i].name, i);
    result_.needs = std::move(needs);
    for (const std::set<std::string>& names : result_.needs) {
      std::vector<std::size_t> needed;
      for (const std::string& name : names) {
        const auto found = index.find(name);
        if (found != index.end()) needed.push_back(found->second);
      }
      needs_.push_back(std::move(needed));
    }
  }

  NodeOrder run() {
    for (std::size_t i = 0; i < state_.size(); ++i)
      if (state_[i] == State::fresh) visit(i);
    return std::move(result_);
  }

 private:
  static constexpr std::size_t most_circles = 100;
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
        result_.order.push_back(step.node);
        path.pop_back();
        continue;
      }
      const std::size_t needed = needs_[step.node][step.next++];
      if (state_[needed] == State::fresh) {
        state_[needed] = State::open;
        path.push_back({needed});
      } else if (state_[needed] == State::open && result_.circles.size() < most_circles) {
        add_circle(path, needed);
      }
    }
  }

  void add_circle(const std::vector<Step>& path, std::size_t first) {
    std::vector<std::size_t> circle;
    for (auto at = std::ranges::find(path, first, &Step::node); at != path.end(); ++at)
      circle.push_back(at->node);
    std::rotate(circle.begin(), std::min_element(circle.begin(), circle.end()), circle.end());
    result_.circles.push_back(std::move(circle));
  }

  std::vector<State> state_;
  std::vector<std::vector<std::size_t>> needs_;
  NodeOrder result_;
};

}  // namespace

void Mentions::add_formula(const Expression& e) {
  if (e.kind == Kind::host) return add_expression(e.children.front(), *this);
  if (e.kind == Kind::name) nodes.insert(e.name);
  for (const Expression& child : e.children) add_formula(child);
  for (const Expression::Keyword& keyword : e.keywords) {
    if (keyword.name == "like" || keyword.name == "tie") {
      add_formula(keyword.value);
    } else {
      add_expression(keyword.value, *this);
    }
  }
}

void Mentions::add_text(const std::string& formula, Budget& budget) {
  try {
    add_formula(parse_expression(formula, Grammar::formula, budget));
  } catch (const ExpressionError&) {  // reported when the node is made
  }
}

void Mentions::add_value(const YamlNode& value, Budget& budget) {
  if (value.is_scalar() && is_value_reference(value.text)) add_text(value.text, budget);
  for (const YamlNode& item : value.items) add_value(item, budget);
  for (const YamlEntry& entry : value.entries) add_value(entry.value, budget);
}

void Mentions::add(const NodeDeclaration& node, Budget& budget) {
  if (node.kind == NodeDeclaration::Kind::formula) add_text(node.value.text, budget);
  if (node.kind == NodeDeclaration::Kind::schedule) add_value(node.value, budget);
  if (node.kind == NodeDeclaration::Kind::call) add_value(node.op, budget);
  for (const YamlNode& input : node.inputs) add_text(input.text, budget);
  for (const YamlEntry& attribute : node.attributes) {
    const bool reference = attribute.key == "like" || attribute.key == "tie";
    if (reference && attribute.value.is_scalar()) add_text(attribute.value.text, budget);
    add_value(attribute.value, budget);
  }
  if (node.repeat) add_value(*node.repeat, budget);
  if (node.params) add_value(*node.params, budget);
}

BlockMentions mentions_of(const BlockDeclaration& block, Budget& budget) {
  BlockMentions result;
  for (const NodeDeclaration& node : block.nodes) result.nodes.emplace_back().add(node, budget);
  bool ask = false;
  for (const BlockDeclaration::Argument& argument : block.arguments) {
    if (argument.required) continue;
    Mentions& mentions = result.arguments[argument.name];
    mentions.add_value(argument.fallback, budget);
    ask = ask || std::ranges::any_of(block.nodes, [&](const NodeDeclaration& node) {
            return mentions.nodes.contains(node.name);
          });
  }
  if (!ask) result.arguments.clear();
  return result;
}

NodeOrder order_of(const std::vector<NodeDeclaration>& nodes, Needs needs) {
  return Ordering(nodes, std::move(needs)).run();
}

std::string circle_text(const std::vector<NodeDeclaration>& nodes, const std::vector<std::size_t>& circle) {
  constexpr std::size_t shown = 6;
  std::string text;
  for (std::size_t i = 0; i <= circle.size(); ++i) {
    const bool hidden = i >= shown && i + shown < circle.size();
    if (hidden && i > shown) continue;
    text += (i > 0 ? " → " : "") + (hidden ? "…" : nodes[circle[i % circle.size()]].name);
  }
  return text;
}

}  // namespace graphrun
