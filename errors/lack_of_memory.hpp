/// \file
/// What memory was lacking for: said by whoever knows what it was to hold.
#pragma once

#include <new>

#include "graphrun/error.hpp"

namespace graphrun {

/// Does `work`; where memory is lacking for it, throws the Error{memory} that `lack` makes. Where there is
/// none for that text either, std::bad_alloc comes out as it is.
template <class Work, class Lack>
decltype(auto) saying_what_lacks(const Work& work, const Lack& lack) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    throw lack();
  }
}

}  // namespace graphrun
