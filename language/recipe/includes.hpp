/// \file
/// `include:` brings the blocks of other files into a document.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "language/syntax/document.hpp"

namespace graphrun {

/// The text of the file at this path, or its first `most` bytes; throws Error{io}.
using IncludeReader = std::function<std::string(const std::string& path, std::size_t most)>;

/// From disk: regular files alone.
std::string read_model_text(const std::string& path, std::size_t most);

/// Replaces `include: [FILE, …]` by the blocks of these files, which may include others; paths are relative
/// to the file that names them. Reports files that cannot be read, are no models, hold more than blocks, or
/// include themselves. Without a reader nothing may be included: a text from elsewhere names no files here.
void inline_includes(YamlNode& document, const std::string& file, const IncludeReader& reader,
                     Sources& sources, Diagnostics& diagnostics);

}  // namespace graphrun
