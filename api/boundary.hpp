/// \file
/// Where a host's call enters the library and every failure leaves it as an Error.
#pragma once

#include <exception>
#include <memory>
#include <string>

#include "graphrun/error.hpp"
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

/// What an object of the host's holds. Error{usage} of one that was moved from, which holds nothing.
template <class Held>
Held& held_by(const std::unique_ptr<Held>& object, const char* noun) {
  if (!object)
    throw Error(ErrorCode::usage, "this " + std::string(noun) + " was moved to another one: use that");
  return *object;
}

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
