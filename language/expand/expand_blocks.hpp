/// \file
/// Calls. In: the name of an op or block, with its inputs made. Out: what it stands for; a block is expanded
/// in a scope of its own, which sees the arguments and inputs of the call and nothing else.
#pragma once

#include "language/expand/build_nodes.hpp"

namespace graphrun {

Instance call(Scope& scope, CallSite site);

/// What can be said of a call before its inputs are known: that its op or block exists, and takes what is
/// given.
bool is_callable(Scope& scope, const CallSite& site);

}  // namespace graphrun
