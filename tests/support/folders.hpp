/// \file
/// Where the source tree and the build lie. Functions, so that no other file is compiled anew in another
/// tree.
#pragma once

#include <string>

namespace graphrun::testing {

/// `below` begins with a slash.
std::string in_source(const std::string& below);
std::string in_build(const std::string& below);

}  // namespace graphrun::testing
