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

}  // namespace graphrun::ops
