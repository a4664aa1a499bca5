/// \file
/// Numbers, sizes and attributes of nodes as the texts of a model file.
#pragma once

#include <string>

#include "graph/attribute.hpp"
#include "graph/type.hpp"

namespace graphrun::onnx {

/// The shortest text of the f32 number.
std::string text_of(double number);
std::string text_of(const AttributeValue& value);

}  // namespace graphrun::onnx
