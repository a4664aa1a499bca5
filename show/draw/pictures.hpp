/// \file
/// Pictures of what a model does, so that a person sees what was learnt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "show/draw/sheet.hpp"
#include "train/datasets/dataset.hpp"
#include "train/datasets/examples.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::show {

/// Some images of a set as pixels: numbers as in to_pixels().
std::vector<std::uint8_t> pixels_of(const train::ImageSet& images, std::size_t first, std::size_t count);

/// The first images of a set.
Pictures first_pictures(const train::ImageSet& images, std::size_t count);

/// The first of a list.
Pictures first_of(Pictures pictures, std::size_t count);

/// The rows of an output with values in [0, 1]. Its size is that of `like` when the elements are as many,
/// else it is told from the shape: [rows, height, width, channels], or squares. Error{usage} when it is
/// neither.
Pictures pictures_of(const train::OutputValues& output, const train::ImageSet* like = nullptr);

/// A PNG with a row of each list below the others, in blocks of `columns`, each pixel drawn as a square of
/// side `magnify`. Durable, or not there at all.
void write_sheet(const std::filesystem::path& path, const std::vector<Pictures>& lists,
                 std::size_t columns = 16, std::size_t magnify = 2);

/// Originals, what the model was given instead (output `noisy`, if there is one), and output `image`.
struct Reconstruction {
  std::vector<Pictures> lists;
  double mean_squared_error = 0;  ///< between originals and images, a pixel
  train::OutputValues image;      ///< the output itself
};
/// Of the first `count` examples, which are those of `images`. Error{usage} when output `image` does not
/// follow from images, as in a generator.
Reconstruction reconstruct(train::Learner& learner, const train::Examples& examples,
                           const train::ImageSet& images, std::int64_t count);

/// Does the output `image`, which the model has, follow from the images that it is given?
bool sees_images(const ModelDefinition& model);

/// Are these pictures, and has the model an output `image` of their size?
bool makes_images_like(const ModelDefinition& model, const train::ImageSet& images);

/// The same, and it follows from them.
bool draws_images(const ModelDefinition& model, const train::ImageSet& images);

}  // namespace graphrun::show
