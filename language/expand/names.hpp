/// \file
/// Who bears a name. Names of nodes, inputs and parameters are what the host and reports know them by; the
/// paths of calls are what random draws go by. No two are alike, and who comes second is reported, with the
/// place of the first.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph/graph.hpp"
#include "language/syntax/diagnostics.hpp"

namespace graphrun {

struct Scope;

struct Names {
  struct Claim {
    std::string_view what;  ///< "input", "node", "parameter"
    Place place;
  };
  struct Parameter {
    NodeId node = 0;
    Place place;  ///< where it was first made
  };

  /// `train: [enc]` means all variables at or below enc.
  void own(const std::string& path, NodeId variable);

  std::unordered_map<std::string, Claim> names;
  std::unordered_map<std::string, Claim> paths;
  std::map<std::string, Parameter> parameters;
  /// The variables at and below each path: that of the node they were written in, and their own.
  std::map<std::string, std::vector<NodeId>> owners;
};

/// Take a name or a path for what the scope makes; false when another has it, which has been reported. An
/// empty one is no name.
bool claim_name(const Scope& scope, const Place& place, const std::string& name, std::string_view what);
bool claim_path(const Scope& scope, const Place& place, const std::string& path);

}  // namespace graphrun
