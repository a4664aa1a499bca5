#include "train/datasets/data_place.hpp"

#include "language/recipe/file_place.hpp"

namespace graphrun::train {

std::optional<SourceLocation> place_of_data(const ModelDefinition& model, const std::string& file) {
  if (!model.data->name.empty()) return model.data->where;
  try {
    return place_of_data_file(model.where.file, file);
  } catch (const Error&) {  // the model is no file: a text, or in a checkpoint
    return model.data->where;
  }
}

void rethrow_at_place(const ModelDefinition& model) {
  try {
    throw;
  } catch (const Error& error) {
    const bool is_of_file = error.code() == ErrorCode::io || error.code() == ErrorCode::data;
    if (!is_of_file || error.where().file == model.where.file) throw;
    const std::optional<SourceLocation> place = place_of_data(model, error.where().file);
    if (!place) throw;
    throw at_place(error, error.where().file, *place);
  }
}

}  // namespace graphrun::train
