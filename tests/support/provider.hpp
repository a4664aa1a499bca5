/// \file
/// Whom `--provider auto` stands for in this process: the whole suite also runs under GRAPHRUN_PROVIDER.
#pragma once

#include "runtime/products/provider.hpp"
#include "runtime/products/tiled_matmul.hpp"

namespace graphrun::testing {

/// Whether products run in tiles, whose bits follow neither rows nor slices.
inline bool products_in_tiles() {
  using namespace graphrun::runtime;
  return has_tiles(detected_isa()) && effective(ProviderChoice::automatic) != ProviderChoice::onednn;
}

}  // namespace graphrun::testing
