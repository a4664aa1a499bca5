/// \file
/// How failures leave a function of the C interface: as a code, with words that the thread keeps.
#pragma once

#include <exception>
#include <string>

#include "graphrun/error.hpp"

namespace graphrun::api {

/// Keeps the exception at hand as the thread's last failure. Its code; GRAPHRUN_MEMORY, with fixed words,
/// when there is no memory for more.
int keep_failure() noexcept;

const char* last_failure() noexcept;
const char* last_failure_json() noexcept;

/// Error{usage} that names what must not be NULL.
void require(const void* pointer, const char* name);

/// Calls, and turns what is thrown into a code.
template <class Call>
int guarded(const Call& call) noexcept {
  try {
    call();
    return 0;
  } catch (...) {
    return keep_failure();
  }
}

}  // namespace graphrun::api
