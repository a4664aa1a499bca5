/// \file
/// Where a host's call enters the library and every failure leaves it as an Error.
#pragma once

#include <exception>

#include "runtime/machine/host_state.hpp"

namespace graphrun::api {

/// What a function of the host's has thrown within a call: it comes back to the host as it was.
struct HostException {
  std::exception_ptr thrown;
};

/// Calls a function of the host's: what it throws is kept as it is.
template <class Call>
auto call_host(const Call& call) -> decltype(call()) {
  try {
    return call();
  } catch (...) {
    throw HostException{std::current_exception()};
  }
}

/// The exception at hand as an Error: std::bad_alloc becomes Error{memory} without memory.
[[noreturn]] void rethrow_as_error();

/// Runs a call with the floating-point environment that results are promised for, whatever the host's.
template <class Call>
auto at_boundary(Call call) -> decltype(call()) {
  const runtime::DefaultFloatingPoint environment;
  try {
    return call();
  } catch (...) {
    rethrow_as_error();
  }
}

}  // namespace graphrun::api
