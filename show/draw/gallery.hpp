/// \file
/// All pictures of a trained model that make sense for it: nobody has to know which to ask for.
///
///     reconstruction.png  test images, what the model was given instead, and what it makes of them
///     codes.png           places of the test images' codes, coloured by label; wider codes by their
///     principal
///                         components
///     codes-images.png    the same with the images themselves
///     samples.png         new images, when the model has a prior; of each label, when it is told labels
///     grid.png            images of a grid over a code of two units
///     filters.png         weights of the first layer that sees the pixels, the strongest first
///     curves.png          figures over the steps
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "show/draw/source.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::show {

struct Gallery {
  std::vector<std::filesystem::path> files;
  std::vector<std::string> notes;  ///< what could not be drawn, and why
};

/// Draws into a folder that is there, over earlier pictures of these names. Error{io}.
Gallery draw_gallery(train::Learner& learner, const Source& source, const std::filesystem::path& folder);

/// What shows best how far a model has come, as reconstruction-STEP.png, or samples-STEP.png of a model that
/// makes images from chance alone; empty when it draws nothing. Error{io}.
std::filesystem::path draw_progress(train::Learner& learner, const Source& source,
                                    const std::filesystem::path& folder);

}  // namespace graphrun::show
