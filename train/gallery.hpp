/// \file
/// All pictures of a trained model that make sense for it: nobody has to know which to ask for.
///
///     codes.png         places of the test images' codes, coloured by label; wider codes by their principal
///                       components
///     codes-images.png  the same with the images themselves
///     grid.png          images of a grid over a code of two units
///     samples.png       new images, when the model has a prior
///     filters.png       weights of the first layer that sees all pixels, each unit's as an image
///     curves.png        figures over the steps
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "train/dataset.hpp"
#include "train/examples.hpp"
#include "train/learner.hpp"

namespace graphrun::train {

struct GallerySource {
  const Dataset& data;
  const Examples& train;
  const Examples& test;           ///< those of data.test, or of data.train where there are none
  std::filesystem::path metrics;  ///< metrics.csv; empty: no curves
};

struct Gallery {
  std::vector<std::filesystem::path> files;
  std::vector<std::string> notes;  ///< what could not be drawn, and why
};

/// Draws into a folder that is there, over earlier pictures of these names. Error{io}.
Gallery draw_gallery(Learner& learner, const GallerySource& source, const std::filesystem::path& folder);

/// Each unit's weights as an image, grey where they are 0, at most `most` of them. `weights`: [pixels,
/// units].
std::vector<std::uint8_t> filter_pixels(std::span<const float> weights, std::size_t pixels, std::size_t units,
                                        std::size_t most);

}  // namespace graphrun::train
