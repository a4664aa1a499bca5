/// \file
/// Where a model names a file of its data: whatever is wrong with the file leads back to that line.
#pragma once

#include <optional>
#include <string>

#include "graphrun/error.hpp"
#include "language/syntax/document.hpp"

namespace graphrun {

/// Where `data:` of a document, whose paths are absolute, names this file, or the folder or archive that it
/// is in.
std::optional<SourceLocation> place_of_data_file(const YamlNode& document, const std::string& file,
                                                 const Sources& sources);

/// The same of a model file on disk, which is read again: only a failure asks. Nothing where it names the
/// file no more, as when --set does.
std::optional<SourceLocation> place_of_data_file(const std::string& model_file, const std::string& file);

/// What is wrong with a file, told where a model names it, and with what its path is relative to where
/// there is no such file. Of a failure that has a line in the file itself, that one stays the place, and the
/// model's stands behind the message.
Error at_place(const Error& error, const std::string& file, const SourceLocation& where);

}  // namespace graphrun
