/// \file
/// Messages in colour, for a terminal whose owner has not asked for none.
#pragma once

#include <string>
#include <string_view>

namespace graphrun::cli {

/// Is standard error a terminal that shows colours? Not with NO_COLOR (https://no-color.org) or TERM=dumb.
bool wants_colour() noexcept;

/// The text with its errors, warnings, notes and carets marked; only escape sequences are added.
std::string coloured(std::string_view text);

/// coloured(), where it is wanted.
std::string for_terminal(std::string text);

}  // namespace graphrun::cli
