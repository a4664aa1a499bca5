/// \file
/// From a value to the attribute of an op. In: a value, and what the op declares. Out: the attribute of the
/// kind that it declares; OpError about it when the value is none.
#pragma once

#include <string>
#include <vector>

#include "graph/attribute.hpp"
#include "language/values/value.hpp"

namespace graphrun {

AttributeValue attribute_from(const Value& value, const AttributeDeclaration& declared);
/// `[batch, 784]`
Shape shape_from(const Value& value, const std::string& attribute);
/// Of the initialisers.
std::vector<std::string> initializer_names();

}  // namespace graphrun
