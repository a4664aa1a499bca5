/// \file
/// Which values of a data set go to which input of a model.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "language/recipe/definition.hpp"
#include "train/datasets/dataset.hpp"
#include "train/datasets/examples.hpp"

namespace graphrun::train {

/// Columns for the inputs of the model that the images and labels can serve: `shape:` inputs take the images
/// when the elements of a row are as many (equal counts reshape), `from: labels` inputs the labels. An input
/// that nothing serves has no column: it is missed only by a program that needs it. The examples keep
/// `images` alive. Error{model}, at the input, when the images have another size.
Examples bind_images(const ModelDefinition& model, std::shared_ptr<const ImageSet> images);

/// Error{usage}, at the first of these inputs that the examples have no values for, with what gives it some.
void require_values(const ModelDefinition& model, const Examples& examples,
                    std::span<const std::string> inputs);

/// The elements of one row of an input: all axes after the first, which must be `batch`. Error{model}.
std::int64_t row_elements(const ModelDefinition& model, const ModelInput& input);

/// Does a row of the input hold as many values as an example? Error{model}, at the input, when it does not.
void require_size(const ModelDefinition& model, const ModelInput& input, const ImageSet& images);

/// Reads what `data:` of the model names. Error{data} when it is missing; Error{model} when the file names no
/// data. Files by path are as the language delivers them: already relative to the current folder.
Dataset load_model_data(const ModelDefinition& model);

/// How the model wants files to be read: also those that take the place of its own.
ReadingOptions reading_options(const DataRecipe& recipe);

/// What a person should know of the data before believing a figure: above all that it is only a subset.
std::vector<std::string> notes_on(const Dataset& data);

}  // namespace graphrun::train
