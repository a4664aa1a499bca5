/// \file
/// A look at the bare text before the YAML library sees it. The library reads an unterminated quote to the
/// end of the file, reports a forgotten `}` lines later, cuts an unquoted formula at its comma, takes anchors
/// and tags, and needs memory for every open bracket. Here each of these is found where it was written.
#pragma once

#include <cstddef>
#include <string>

#include "language/syntax/diagnostics.hpp"

namespace graphrun {

inline constexpr std::size_t deepest_nesting = 64;  ///< of mappings and sequences

/// Bytes that stand for `,` `[` `]` `{` `}` in formulas that should have been quoted, so that reading goes
/// on.
inline constexpr char masked_characters[] = ",[]{}";
constexpr char masked(std::size_t index) {
  return static_cast<char>(1 + index);
}

struct ScannedText {
  std::string text;      ///< of the same length as the source, safe to hand to the YAML library
  bool readable = true;  ///< false: a mistake after which the structure is not known
};

/// Checks one text (already UTF-8, of sensible size) and reports every mistake.
ScannedText scan_yaml(const std::string& text, std::size_t source, Diagnostics& diagnostics);

/// Reports what makes a file no text at all: invalid UTF-8, control characters. True when none.
bool check_encoding(const std::string& text, std::size_t source, Diagnostics& diagnostics);

}  // namespace graphrun
