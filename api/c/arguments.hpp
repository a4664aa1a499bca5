/// \file
/// What callers of the C interface give, checked.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "api/c/failure.hpp"
#include "graphrun/graphrun.h"
#include "graphrun/model.hpp"
#include "graphrun/products.hpp"

struct graphrun_model {
  graphrun::Model model;
  std::string info;
};

namespace graphrun::api {

/// A list of texts, none of which may be NULL; `name` is that of the list.
std::vector<std::string> texts_of(const char* const* texts, std::size_t count, const char* name);

Provider provider_of(int provider);

/// The options as this library knows them: those of an older caller are shorter, and the rest is zero.
template <class Options>
Options known(const Options* given, const char* name) {
  Options options{};
  if (given == nullptr) return options;
  if (given->size < sizeof(std::size_t))
    throw Error(ErrorCode::usage,
                fmt::format("{} must begin with its size: {{sizeof(graphrun_{})}}", name, name));
  std::memcpy(&options, given, std::min(given->size, sizeof options));
  return options;
}

/// Where a result goes: NULL until there is one.
template <class Result>
void clear(Result** into, const char* name) {
  require(into, name);
  *into = nullptr;
}

}  // namespace graphrun::api
