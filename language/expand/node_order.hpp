/// \file
/// Which nodes of a list need which, and the order that follows from it: a file may be written in any. In:
/// what is written, unevaluated. Out: names and numbers of nodes; nothing is reported here.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "language/expand/declarations.hpp"
#include "language/values/expression.hpp"

namespace graphrun {

/// The names in what is written: of nodes, and of values, whose defaults may ask for the size of nodes in
/// turn.
struct Mentions {
  std::set<std::string> nodes;
  std::set<std::string> values;

  void add_formula(const Expression& expression);
  void add_text(const std::string& formula, Budget& budget);  ///< one that is wrong mentions nothing
  void add_value(const YamlNode& value, Budget& budget);
  void add(const NodeDeclaration& node, Budget& budget);
};

/// Of a block, worked out once.
struct BlockMentions {
  std::vector<Mentions> nodes;                ///< of each node
  std::map<std::string, Mentions> arguments;  ///< of defaults; none, if none asks for the size of a node
};
BlockMentions mentions_of(const BlockDeclaration& block, Budget& budget);

using Needs = std::vector<std::set<std::string>>;

struct NodeOrder {
  Needs needs;                                    ///< of each node: names, also of what is none of the nodes
  std::vector<std::size_t> order;                 ///< users after what they use; also those of circles
  std::vector<std::vector<std::size_t>> circles;  ///< each begins with the node that is written first
};
NodeOrder order_of(const std::vector<NodeDeclaration>& nodes, Needs needs);

/// "a → b → … → z → a": of a long circle its ends.
std::string circle_text(const std::vector<NodeDeclaration>& nodes, const std::vector<std::size_t>& circle);

}  // namespace graphrun
