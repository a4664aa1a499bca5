/// \file
/// Statistics come in pairs, [2, c]: what each half is called in terms of nodes.
#pragma once

#include "graph/term.hpp"

namespace graphrun::ops {

/// Row `i` of [2, c], as [c].
inline Term part(const Term& pair, std::int64_t i) {
  const Dim channels = pair.type().shape.back();
  const Term row = call("slice", {pair}, {{"axis", 0}, {"start", i}, {"stop", i + 1}});
  return call("reshape", {row}, {{"shape", Shape{channels}}});
}

/// Two values of [c] as [2, c].
inline Term pair_of(const Term& first, const Term& second) {
  const Shape row = {Dim::number(1), first.type().shape.back()};
  return call("concat",
              {call("reshape", {first}, {{"shape", row}}), call("reshape", {second}, {{"shape", row}})},
              {{"axis", 0}});
}

/// All axes before the last so many.
inline Axes axes_before(const Term& x, std::size_t last) {
  Axes axes;
  axes.all = false;
  for (std::size_t axis = 0; axis + last < x.type().shape.size(); ++axis)
    axes.list.push_back(static_cast<std::int64_t>(axis));
  return axes;
}

}  // namespace graphrun::ops
