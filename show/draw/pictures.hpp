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

/// The rows of an output with values in [0, 1]. Its size is that of the images of `like`, or of what they are
/// to become, when the elements are as many; else it is told from the shape: [rows, height, width, channels],
/// or squares. Error{usage} when it is neither.
Pictures pictures_of(const train::OutputValues& output, const train::ImageSet* like = nullptr);

/// A PNG with a row of each list below the others, in blocks of `columns`, each pixel drawn as a square of
/// side `magnify`. Durable, or not there at all.
void write_sheet(const std::filesystem::path& path, const std::vector<Pictures>& lists,
                 std::size_t columns = 16, std::size_t magnify = 2);

/// Does the output `image`, which the model has, follow from the images that it is given?
bool sees_images(const ModelDefinition& model);

/// Are these pictures, and has the model an output `image` of their size?
bool makes_images_like(const ModelDefinition& model, const train::ImageSet& images);

/// Values in a row of the output `image`; 0 when there is none, or it has no rows.
std::size_t values_per_image(const ModelDefinition& model);

/// Values in a row of an output; 0 when it has no rows.
std::size_t values_per_row(const train::OutputValues& output);

/// The sizes of a picture of `values` where the images, or what they are to become, are pictures of as many:
/// [height, width, channels]; else empty.
std::vector<std::size_t> picture_sizes(const train::ImageSet& images, std::size_t values);

}  // namespace graphrun::show
