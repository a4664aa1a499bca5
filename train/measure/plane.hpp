/// \file
/// Codes as places in a plane.
#pragma once

#include <string>
#include <vector>

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

}  // namespace graphrun::train
