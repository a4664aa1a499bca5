/// \file
/// Places in a plane, drawn: as dots coloured by label, and as the images themselves.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "files/png/image.hpp"
#include "train/datasets/dataset.hpp"
#include "train/measure/plane.hpp"

namespace graphrun::show {

/// Dots with a legend. `labels`: one for each place, or none. `names`: of labels; those without go by number.
/// A place that is not finite is left out, and a few that lie far from all others; how many is said.
files::Image draw_scatter(const train::Plane& plane, std::span<const std::int32_t> labels,
                          std::span<const std::string> names);

/// The images at their places, so that none hides another: what a neighbour already covers is left out.
files::Image draw_image_scatter(const train::Plane& plane, const train::ImageSet& images);

}  // namespace graphrun::show
