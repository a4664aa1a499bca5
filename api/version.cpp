#include "graphrun/version.hpp"

#include "graphrun/interface.hpp"

namespace graphrun {

std::string_view library_version() noexcept {
  return version;
}

}  // namespace graphrun

namespace graphrun::detail {

extern "C" const int graphrun_interface_0_1 = 1;

}  // namespace graphrun::detail
