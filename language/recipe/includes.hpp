/// \file
/// `include:` brings the blocks of other files into a document. Internal to graph/yaml.
#pragma once

#include <string>

#include "language/syntax/document.hpp"

namespace graphrun {

/// The text of a file of at most one megabyte; throws Error{io}.
std::string read_model_text(const std::string& path);

/// Replaces `include: [FILE, …]` by the blocks of these files, which may include others; paths are relative
/// to the file that names them. Reports files that cannot be read, hold more than blocks, or include
/// themselves.
void inline_includes(YamlNode& document, const std::string& file, Sources& sources, Diagnostics& diagnostics);

}  // namespace graphrun
