/// \file
/// Text from files as it may be shown: nothing in it moves a cursor, cuts a message short or turns it around.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace graphrun {

/// The length of the UTF-8 sequence at `at`, or 0 when it is not one (overlong, surrogate, out of range,
/// cut).
std::size_t utf8_length(std::string_view text, std::size_t at);

enum class LineBreaks { kept, escaped };

/// The text with control characters, those that change the direction of writing, and bytes that are not UTF-8
/// written as \x1B, \u202E, \xFF; tabs are kept. A printable text stays as it is.
std::string printable(std::string_view text, LineBreaks line_breaks = LineBreaks::escaped);

/// A text that nobody reads to its end, without its middle: "a name of a hundred thousand letters" stays one
/// in a message. What is short enough, and that is much, stays as it is.
std::string shortened(std::string text);

}  // namespace graphrun
