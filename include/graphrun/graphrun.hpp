/// \file
/// All of graphrun's public interface.
#pragma once

#include "graphrun/error.hpp"            // IWYU pragma: export
#include "graphrun/model.hpp"            // IWYU pragma: export
#include "graphrun/predictor.hpp"        // IWYU pragma: export
#include "graphrun/products.hpp"         // IWYU pragma: export
#include "graphrun/session.hpp"          // IWYU pragma: export
#include "graphrun/source.hpp"           // IWYU pragma: export
#include "graphrun/table.hpp"            // IWYU pragma: export
#include "graphrun/table_predictor.hpp"  // IWYU pragma: export
#include "graphrun/version.hpp"          // IWYU pragma: export
