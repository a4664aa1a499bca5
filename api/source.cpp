#include "graphrun/source.hpp"

namespace graphrun {

Source::~Source() = default;

}  // namespace graphrun
