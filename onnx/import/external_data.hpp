/// \file
/// Weights in files beside an ONNX file. Where they are is text in a file of a stranger's: it is followed
/// only within one folder, and only if that is allowed.
#pragma once

#include <filesystem>
#include <optional>

#include "onnx/records.hpp"

namespace graphrun::onnx {

/// Reads what weights and constants say of other files. Without a folder they are an Error{data}. So is a
/// path that is absolute, has `..` in it, goes through a symbolic link, leads to no regular file, or to one
/// that has another name too; and a range beyond the file.
void read_external_data(GraphRecord& graph, const std::optional<std::filesystem::path>& folder);

}  // namespace graphrun::onnx
