// Paths in a model file, relative to the folder of the file that they stand in.
#include <filesystem>

#include "language/recipe/sections.hpp"

namespace graphrun {
namespace {

void make_absolute(YamlNode& path, const Sources& sources) {
  if (!path.is_scalar() || path.text.empty()) return;
  const std::string& source = sources.name(path.place.source);
  const std::filesystem::path folder =
      source == "--set" ? std::filesystem::path() : std::filesystem::path(source).parent_path();
  path.text = std::filesystem::absolute(folder / path.text).lexically_normal().string();
}

/// `FILE`, or a mapping that has one.
void resolve_file(YamlNode& node, const Sources& sources) {
  make_absolute(node, sources);
  if (YamlNode* file = node.find("file")) make_absolute(*file, sources);
}

void resolve_files_of_data(YamlNode& files, const Sources& sources) {
  for (YamlEntry& entry : files.entries) {
    if (entry.key == "label") continue;
    resolve_file(entry.value, sources);
    if (entry.key != "arrays") continue;
    for (YamlEntry& array : entry.value.entries) make_absolute(array.value, sources);
  }
}

}  // namespace

void resolve_paths(YamlNode& document, const Sources& sources) {
  if (YamlNode* data = document.find("data"))
    for (const char* part : {"train", "test"})
      if (YamlNode* files = data->find(part)) resolve_files_of_data(*files, sources);
  YamlNode* weights = document.find("weights");
  if (weights == nullptr) return;
  resolve_file(*weights, sources);
  for (YamlNode& item : weights->items) resolve_file(item, sources);
}

}  // namespace graphrun
