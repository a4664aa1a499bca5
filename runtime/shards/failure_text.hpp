/// \file
/// What was not finite, as text that one member of a team tells the others, so that all fail alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "graphrun/error.hpp"

namespace graphrun::runtime {

std::string failure_text(std::size_t section, std::int64_t shard, const Error& error);

/// The one of the first section, and in it of the first shard; texts that are empty tell of none. Always
/// throws Error{not_finite}.
[[noreturn]] void throw_first_failure(const std::vector<std::string>& texts);

}  // namespace graphrun::runtime
