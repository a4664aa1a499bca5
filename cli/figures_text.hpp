/// \file
/// Figures as people and programs read them.
#pragma once

#include <string>

#include "cli/json.hpp"
#include "train/figures.hpp"

namespace graphrun::cli {

/// "loss 0.02491  psnr 17.2": five significant digits. A figure that equals the loss is left out.
std::string text_of(const train::Figures& figures);

/// Sets a key for every figure.
JsonObject& set_figures(JsonObject& object, const train::Figures& figures);

/// "1,234,567".
std::string grouped(std::int64_t number);

/// "48 s", "3 min 20 s", "2 h 5 min".
std::string duration_text(double seconds);

}  // namespace graphrun::cli
