/// \file
/// Images as a model draws them again, or draws what they are to become.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "show/draw/pictures.hpp"
#include "train/datasets/dataset.hpp"
#include "train/datasets/examples.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::show {

struct Reconstruction {
  train::OutputValues image;                       ///< the output `image`
  std::optional<train::OutputValues> noisy = {};   ///< what the model was given instead: output `noisy`
  std::optional<train::OutputValues> target = {};  ///< what the loss compares with, unless it is the images
  /// Between what is drawn and that, a value; nothing where examples come without what they are to become.
  std::optional<double> mean_squared_error = {};
};

/// Of the first `count` examples, which are those of `images`. Error{usage} when output `image` does not
/// follow from images, as in a generator, or is compared with nothing of its size.
Reconstruction reconstruct(train::Learner& learner, const train::Examples& examples,
                           const train::ImageSet& images, std::int64_t count);

struct NamedPictures {
  std::string name;  ///< "original", "corrupted", "reconstruction"; or "input", …, "target"
  Pictures pictures;
};
/// In the order in which they are shown, each in its own size. Error{usage} when rows are no pictures.
std::vector<NamedPictures> pictures_of(const Reconstruction& made, const train::ImageSet& images);

/// Is there a picture to draw of what the model makes of images?
bool draws_images(const ModelDefinition& model, const train::ImageSet& images);

}  // namespace graphrun::show
