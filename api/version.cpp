#include "graphrun/version.hpp"

namespace graphrun {

std::string_view library_version() noexcept {
  return version;
}

}  // namespace graphrun
