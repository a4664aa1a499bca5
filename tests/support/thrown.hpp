/// \file
/// Catches what a call throws, so that a test can look at code, place and message.
#pragma once

#include <optional>
#include <string>

#include "graphrun/error.hpp"

namespace graphrun::testing {

/// The Error that `call` throws, or nothing. Other exceptions pass through and fail the test.
template <class Call>
std::optional<Error> thrown(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Whether `call` throws an Error with this code whose what() has `part` in it.
template <class Call>
bool throws(Call&& call, ErrorCode code, const std::string& part) {
  const std::optional<Error> error = thrown(call);
  return error.has_value() && error->code() == code && contains(error->what(), part);
}

}  // namespace graphrun::testing
