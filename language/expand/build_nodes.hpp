/// \file
/// A call of an op becomes a node, of `param` a parameter. In: the call, with its inputs made. Out: the node,
/// or nothing where a mistake has been reported. What fits the op is for its `infer`; here stands where it
/// was written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "language/expand/scope.hpp"
#include "language/values/expression.hpp"

namespace graphrun {

/// A value or a reference given to an op or a block by name: written in YAML or in a formula.
struct GivenAttribute {
  std::string name;
  Place place;  ///< of the name
  Place value_place;
  const YamlNode* yaml = nullptr;          ///< the value, or the text that the expression is a part of
  const Expression* expression = nullptr;  ///< set in a formula
};
std::optional<Value> value_of(Scope& scope, const GivenAttribute& given);

struct CallSite {
  std::string op;
  Place place;  ///< of the op's name, or of the operator
  std::vector<NodeId> inputs;
  std::vector<Place> input_places;
  Place inputs_place;
  std::vector<GivenAttribute> attributes;
  std::string path;
  std::string params;
  std::string display;
  bool in_formula = false;
};

Instance call_op(Scope& scope, const OpDef& op, const CallSite& site);

/// What to write instead of an attribute that an op or block has not: its attributes have these names, its
/// inputs those.
std::string attribute_advice(const std::string& given, const std::string& op,
                             const std::vector<std::string>& names, const std::vector<std::string>& inputs);

/// A scalar that the host feeds; of a constant schedule, a constant.
NodeId scheduled_input(Expansion& model, const Schedule& schedule, const std::string& name);

}  // namespace graphrun
