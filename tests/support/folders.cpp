#include "tests/support/folders.hpp"

namespace graphrun::testing {

std::string in_source(const std::string& below) {
  return GRAPHRUN_SOURCE_DIR + below;
}

std::string in_build(const std::string& below) {
  return GRAPHRUN_BINARY_DIR + below;
}

}  // namespace graphrun::testing
