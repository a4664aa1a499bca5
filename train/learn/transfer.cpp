#include "train/learn/transfer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "files/file.hpp"

namespace graphrun::train {

namespace {

Extents extents_of(const files::StoredTensor& tensor) {
  return {tensor.shape.begin(), tensor.shape.end()};
}

/// Optimizer state and weights put aside are written "adam/…", "kept/…": nobody misses them.
bool is_state(const std::string& name) {
  return name.find('/') != std::string::npos;
}

/// At most so many names, so that a large model does not fill the screen.
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t most = 8;
  const std::vector<std::string> first(
      names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(most, names.size())));
  const std::string rest = names.size() > most ? fmt::format(" and {} more", names.size() - most) : "";
  return fmt::format("{}{}", fmt::join(first, ", "), rest);
}

}  // namespace

Transfer transferable(const ModelDefinition& model, const files::SafetensorsFile& file) {
  Transfer transfer;
  for (const Node& node : model.graph.nodes()) {
    if (!node.op->traits.variable) continue;
    const Extents extents = bind(node.type.shape, std::int64_t{1});
    const files::StoredTensor* tensor = file.find(node.name);
    if (tensor == nullptr) {
      transfer.missing.push_back(node.name);
    } else if (!files::is_real(tensor->type) || extents_of(*tensor) != extents) {
      transfer.misfits.push_back(fmt::format("{} is {}{} in the file and f32{} in the model", node.name,
                                             files::info_of(tensor->type).name,
                                             to_string(extents_of(*tensor)), to_string(extents)));
    } else {
      transfer.weights[node.name] = files::as_f32(tensor->type, file.read(*tensor));
    }
  }
  for (const files::StoredTensor& tensor : file.tensors())
    if (!is_state(tensor.name) && !model.graph.find(tensor.name)) transfer.unused.push_back(tensor.name);
  if (transfer.weights.empty())
    throw files::data_error(file.path(),
                            transfer.misfits.empty()
                                ? fmt::format("it has none of the model's parameters ({}); it has: {}",
                                              listed(transfer.missing), listed(transfer.unused))
                                : fmt::format("none of its parameters fits: {}", listed(transfer.misfits)));
  return transfer;
}

std::string note_on_missing(const std::vector<std::string>& missing, const std::string& where) {
  return fmt::format("not in {}, so they begin anew: {}", where, listed(missing));
}

std::vector<std::string> notes_on(const Transfer& transfer, const std::string& file, bool is_only) {
  const std::size_t all = transfer.weights.size() + transfer.missing.size() + transfer.misfits.size();
  std::vector<std::string> notes = {
      fmt::format("{} of {} parameters are taken from {}", transfer.weights.size(), all, file)};
  if (!transfer.missing.empty() && is_only) notes.push_back(note_on_missing(transfer.missing, "the file"));
  if (!transfer.misfits.empty())
    notes.push_back(fmt::format("of another shape, so they {}: {}", is_only ? "begin anew" : "are not taken",
                                listed(transfer.misfits)));
  if (!transfer.unused.empty())
    notes.push_back(fmt::format("in the file, but not in the model: {}", listed(transfer.unused)));
  return notes;
}

}  // namespace graphrun::train
