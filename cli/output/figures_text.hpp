/// \file
/// Figures as people and programs read them.
#pragma once

#include <string>

#include "cli/json.hpp"
#include "files/number_text.hpp"
#include "train/learn/figures.hpp"

namespace graphrun::cli {

/// "loss 0.02491  psnr 17.2": five significant digits. A figure that equals the loss is left out.
std::string text_of(const train::Figures& figures);

/// Sets a key for every figure.
files::JsonObject& set_figures(files::JsonObject& object, const train::Figures& figures);

using files::duration_text;
using files::grouped;

}  // namespace graphrun::cli
