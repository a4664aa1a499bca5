/// \file
/// "did you mean": the name nearest to a mistyped one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace graphrun {

/// The candidate at the smallest edit distance (insert, delete, replace, swap of neighbours; letters that
/// differ only in case cost half), first of all one that differs in case, `_` and `-` alone, or an empty text
/// when none is near: more than a third of the letters off.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

/// "Did you mean 'units'?", else "There are: a, b, c.", else an empty text. A list too long to read is cut,
/// and says how many more there are, or what lists them all: "`graphrun ops`".
std::string suggestion(std::string_view name, std::span<const std::string> candidates,
                       std::string_view lister = {});

}  // namespace graphrun
