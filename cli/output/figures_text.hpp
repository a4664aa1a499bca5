/// \file
/// Figures as people and programs read them.
#pragma once

#include <string>

#include "cli/json.hpp"
#include "files/number_text.hpp"
#include "train/learn/figures.hpp"

namespace graphrun::cli {

/// "loss 0.02491  f1 0.82 above 0.113": five significant digits. A figure that equals the loss is left out,
/// and so are those of single classes or columns.
std::string text_of(const train::Figures& figures);

/// These: "mae  temp 0.53 press 1.2", a line for each metric; often empty.
std::string parts_text(const train::Figures& figures);

/// Sets a key for every figure.
files::JsonObject& set_figures(files::JsonObject& object, const train::Figures& figures);

using files::duration_text;
using files::grouped;

}  // namespace graphrun::cli
