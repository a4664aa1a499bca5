/// \file
/// What a reader has to know of ONNX's types of elements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "onnx/records.hpp"

namespace graphrun::onnx {

/// Bits of one element, which lie side by side when they are less than eight; 0 for types that graphrun does
/// not read.
std::size_t bits_of(ElementType type);
/// Bytes of so many elements.
std::uint64_t bytes_of(ElementType type, std::int64_t count);
/// ONNX's own name: "bfloat16".
std::string type_name(ElementType type);

bool is_integer(ElementType type);  ///< truth values too
bool is_float(ElementType type);
bool is_small_float(ElementType type);  ///< of less than 16 bits

}  // namespace graphrun::onnx
