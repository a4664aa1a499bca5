#include "weights/gather.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "language/recipe/file_place.hpp"
#include "train/learn/transfer.hpp"
#include "weights/foreign.hpp"

namespace graphrun::weights {

namespace {

/// Who wrote the file; nothing: graphrun did.
std::optional<Convention> convention_of(const ModelDefinition& model, const WeightsRecipe& recipe,
                                        const files::SafetensorsFile& file) {
  if (recipe.from == "graphrun") return std::nullopt;
  if (recipe.from.empty()) return guessed(model, file);
  const std::optional<Convention> named = convention_from(recipe.from);
  if (!named)
    throw Error(ErrorCode::usage, fmt::format("--from {}: there are torch, keras and graphrun", recipe.from),
                recipe.where);
  return named;
}

class Gathering {
 public:
  Gathering(const ModelDefinition& model, const GatherOptions& options, bool is_only)
      : model_(model), options_(options), is_only_(is_only) {
    for (const std::string& text : options.map)
      for (Correspondence& one : correspondences(text)) open_.push_back(std::move(one));
  }

  void add(const WeightsRecipe& recipe) {
    at_place_of(recipe, [&] { take_from(recipe); });
  }

  Gathered finish() {
    if (!open_.empty())
      throw Error(ErrorCode::data,
                  fmt::format("--map {}={}: no file of another program has a module or tensor "
                              "of this name",
                              open_.front().theirs, open_.front().ours));
    if (const std::vector<std::string> missing = without_value(); !missing.empty()) {
      if (options_.needed != nullptr)
        throw Error(ErrorCode::data, fmt::format("none of the files of weights has {} of the model",
                                                 fmt::join(missing, ", ")));
      if (!notes_missing_) gathered_.notes.push_back(train::note_on_missing(missing, place()));
    }
    return std::move(gathered_);
  }

 private:
  void take_from(const WeightsRecipe& recipe) {
    const files::SafetensorsFile file(recipe.file);
    const std::optional<Convention> convention = convention_of(model_, recipe, file);
    if (!convention && !recipe.map.empty())
      throw Error(ErrorCode::usage,
                  fmt::format("`map:` is for files of other programs, and {} has the names of graphrun's",
                              recipe.file),
                  recipe.where);
    take(convention ? foreign(recipe, file, *convention) : own(file), recipe.file);
  }

  std::string place() const { return is_only_ ? "the file" : "any of the files"; }

  train::Learner::Weights own(const files::SafetensorsFile& file) {
    train::Transfer transfer = train::transferable(model_, file);
    for (std::string& note : train::notes_on(transfer, file.path().string(), is_only_))
      gathered_.notes.push_back(std::move(note));
    notes_missing_ = is_only_;
    return std::move(transfer.weights);
  }

  train::Learner::Weights foreign(const WeightsRecipe& recipe, const files::SafetensorsFile& file,
                                  Convention convention) {
    ForeignOptions options{convention, maps_for(file, convention), options_.needed,
                           !is_only_ || options_.needed == nullptr};
    for (const std::string& text : recipe.map)
      for (Correspondence& one : correspondences(text, recipe.where)) options.map.push_back(std::move(one));
    const ForeignWeights found = match(model_, file, options);
    if (!is_only_) gathered_.table.push_back(file.path().string() + ":");
    gathered_.table.push_back(table_of(found));
    return read(found, file);
  }

  /// Those of the maps for all files that are about this one.
  std::vector<Correspondence> maps_for(const files::SafetensorsFile& file, Convention convention) {
    const auto others = std::stable_partition(open_.begin(), open_.end(), [&](const Correspondence& one) {
      return !has_module_or_tensor(file, convention, one.theirs);
    });
    std::vector<Correspondence> chosen(others, open_.end());
    open_.erase(others, open_.end());
    return chosen;
  }

  void take(train::Learner::Weights values, const std::string& file) {
    std::map<std::string, std::vector<std::string>> overridden;
    for (auto& [name, value] : values) {
      if (const auto before = came_from_.find(name); before != came_from_.end())
        overridden[before->second].push_back(name);
      came_from_[name] = file;
      gathered_.values[name] = std::move(value);
    }
    for (const auto& [before, names] : overridden)
      gathered_.table.push_back(fmt::format("{} overrides {} of {}", file, fmt::join(names, ", "), before));
  }

  std::vector<std::string> without_value() const {
    std::vector<std::string> names;
    for (const Node& node : model_.graph.nodes())
      if (node.op->traits.variable && !gathered_.values.contains(node.name) &&
          (options_.needed == nullptr || options_.needed->contains(node.name)))
        names.push_back(options_.needed != nullptr ? "'" + node.name + "'" : node.name);
    return names;
  }

  const ModelDefinition& model_;
  const GatherOptions& options_;
  bool is_only_;
  std::vector<Correspondence> open_;  ///< of the maps for all files
  std::map<std::string, std::string> came_from_;
  bool notes_missing_ = false;
  Gathered gathered_;
};

}  // namespace

Gathered gathered(const ModelDefinition& model, std::span<const WeightsRecipe> files,
                  const GatherOptions& options) {
  if (files.empty()) return {};
  Gathering gathering(model, options, files.size() == 1);
  for (const WeightsRecipe& file : files) gathering.add(file);
  return gathering.finish();
}

bool is_foreign(const ModelDefinition& model, const WeightsRecipe& file) {
  return at_place_of(
      file, [&] { return convention_of(model, file, files::SafetensorsFile(file.file)).has_value(); });
}

Error at_place_of(const WeightsRecipe& recipe, const Error& error) {
  return error.where().line > 0 ? error : at_place(error, recipe.file, recipe.where);
}

}  // namespace graphrun::weights
