/// \file
/// The initialisers by name: one table that the language checks against, variables start by, and the guide
/// and the schema show. With `fan_in` and `fan_out` the first and second extents of a weight [in, out] (for
/// more axes,
/// [..., in, out]: times the product of the leading ones; for one axis, its length).
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "graph/attribute.hpp"
#include "graph/type.hpp"

namespace graphrun {

/// What values are drawn from.
struct Spread {
  enum class Kind {
    constant,   ///< `first`
    uniform,    ///< from `first` to `second`
    normal,     ///< of mean `first` and standard deviation `second`
    orthogonal  ///< rows or columns (the fewer) are orthonormal times `first`
  };
  Kind kind = Kind::constant;
  double first = 0;
  double second = 0;
};

struct InitializerArgument {
  std::string_view name;
  std::optional<double> fallback;  ///< nothing: follows from the shape
};

struct InitializerKind {
  std::string_view name;
  std::string_view doc;
  std::vector<InitializerArgument> arguments;
  /// Of a variable of this name and these extents. Error{model} when they do not suit.
  Spread (*spread)(const Initializer&, const Extents&, std::string_view variable);
};

/// All of them, in the order in which they are shown.
std::span<const InitializerKind> initializer_kinds();

/// Null when there is none.
const InitializerKind* find_initializer(std::string_view name);

}  // namespace graphrun
