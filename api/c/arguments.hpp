/// \file
/// What callers of the C interface give, checked; and what is described to them.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "api/c/failure.hpp"
#include "files/json.hpp"
#include "graphrun/graphrun.h"
#include "graphrun/model.hpp"
#include "graphrun/predictor.hpp"
#include "graphrun/products.hpp"

namespace graphrun::api {

/// A list of texts, none of which may be NULL; `name` is that of the list.
std::vector<std::string> texts_of(const char* const* texts, std::size_t count, const char* name);

Provider provider_of(int provider);
std::optional<Precision> precision_of(int precision);

/// The values of an input that has a name.
InputSpan values_of(const graphrun_input& input);

/// For C, as "inputs" and "outputs" are described.
files::JsonArray json_of(const std::vector<TensorInfo>& tensors);

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
