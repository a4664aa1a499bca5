/// \file
/// Codes as places in a plane: as dots coloured by label, and as the images themselves.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "files/png/image.hpp"
#include "train/datasets/dataset.hpp"
#include "train/measure/latent_space.hpp"

namespace graphrun::train {

/// Places in a plane, and what its axes are called.
struct Plane {
  std::vector<float> x;
  std::vector<float> y;
  std::string x_name;
  std::string y_name;
};

/// The mean of codes, and the two directions in which they vary most: unit vectors at right angles, by power
/// iteration from a fixed start, each with its largest part positive.
struct PrincipalPlane {
  std::vector<double> mean;
  std::vector<double> first;
  std::vector<double> second;
};
PrincipalPlane principal_plane(const Codes& codes);

/// Where codes lie in it.
Plane plane_of(const Codes& codes, const PrincipalPlane& principal);

/// Codes of two units as they are; wider ones in their principal plane; codes of one unit against their
/// number.
Plane plane_of(const Codes& codes);

/// Dots with a legend. `labels`: one for each place, or none. `names`: of labels; those without go by number.
/// A place that is not finite is left out, and a few that lie far from all others; how many is said.
files::Image draw_scatter(const Plane& plane, std::span<const std::int32_t> labels,
                          std::span<const std::string> names);

/// The images at their places, so that none hides another: what a neighbour already covers is left out.
files::Image draw_image_scatter(const Plane& plane, const ImageSet& images);

/// Names of the classes of a data set that graphrun knows; else none.
std::vector<std::string> class_names(const std::string& dataset);

}  // namespace graphrun::train
