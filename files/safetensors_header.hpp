/// \file
/// The JSON header of a safetensors file: what is in it, and the rules that make it safe to believe.
/// The only place that uses nlohmann-json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files/stored_type.hpp"

namespace graphrun::files {

struct StoredTensor {
  std::string name;
  StoredType type = StoredType::f32;
  std::vector<std::size_t> shape;  ///< empty for a scalar; sizes may be 0
  std::uint64_t begin = 0;         ///< its bytes, counted from the end of the header
  std::uint64_t end = 0;
  std::optional<std::uint32_t> sum;  ///< CRC-32 of the bytes, if the file says it (see safetensors.hpp)
};

struct SafetensorsHeader {
  std::vector<StoredTensor> tensors;  ///< in the order of their bytes
  std::map<std::string, std::string> metadata;
};

/// Parses and checks a header: one JSON object in valid UTF-8 (spaces around it are allowed), no key twice,
/// no deeper than its grammar; a type of stored_types; end − begin the product of the shape times the
/// element size; the tensors together covering exactly `payload_bytes` without holes or overlaps. Error{data}
/// otherwise, with `path` for its place. Nothing of the size that a header claims is allocated.
SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t payload_bytes,
                                           const std::filesystem::path& path);

/// The header as JSON on one line, metadata first. Error{usage} for names that are not UTF-8, given twice or
/// reserved.
std::string format_safetensors_header(const SafetensorsHeader& header);

}  // namespace graphrun::files
