/// \file
/// The sections of a model file that hold its nodes, as they are written: values are still YAML.
#pragma once

#include <string>
#include <vector>

#include "language/expand/declarations.hpp"

namespace graphrun {

/// Reads the sections of a model; what is wrong is reported and left out.
ModelDeclaration read_declarations(YamlNode document, Diagnostics& diagnostics);

/// Reads `blocks:` of a document that holds nothing else: the standard blocks.
std::vector<BlockDeclaration> read_standard_blocks(const YamlNode& document, Diagnostics& diagnostics);

/// Reads a call that stands outside of `nodes:`; kind `broken` when it is wrong, which has been reported.
NodeDeclaration read_call(const std::string& name, const YamlNode& value, Diagnostics& diagnostics);

}  // namespace graphrun
