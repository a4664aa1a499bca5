// Paths in a model file, relative to the folder of the file that they stand in.
#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "language/recipe/file_place.hpp"
#include "language/recipe/includes.hpp"
#include "language/recipe/sections.hpp"

namespace graphrun {
namespace {

namespace fs = std::filesystem;

constexpr const char* settings_source = "--set";

void make_absolute(YamlNode& path, const Sources& sources) {
  if (!path.is_scalar() || path.text.empty()) return;
  const std::string& source = sources.name(path.place.source);
  const fs::path folder = source == settings_source ? fs::path() : fs::path(source).parent_path();
  path.text = fs::absolute(folder / path.text).lexically_normal().string();
}

/// Visits `FILE`, or that of a mapping that has one.
template <class Node, class Visit>
void visit_file(Node& node, const Visit& visit) {
  visit(node);
  if (auto* file = node.find("file")) visit(*file);
}

/// Visits all paths of `data:`.
template <class Node, class Visit>
void visit_files_of_data(Node& data, const Visit& visit) {
  for (const char* part : {"train", "test"}) {
    auto* files = data.find(part);
    if (files == nullptr) continue;
    for (auto& entry : files->entries) {
      if (entry.key == "label") continue;
      visit_file(entry.value, visit);
      if (entry.key != "arrays") continue;
      for (auto& array : entry.value.entries) visit(array.value);
    }
  }
}

bool is_below(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

/// A model names a folder, and a picture in it is wrong; or an array, and its archive is.
bool is_part(const std::string& file, const std::string& named) {
  return !file.empty() && (file == named || is_below(file, named) || is_below(named, file));
}

bool is_missing(const std::string& file) {
  std::error_code failure;
  return !file.empty() && fs::status(file, failure).type() == fs::file_type::not_found;
}

/// How a path of a file that is not there may be mended. A model in a checkpoint is no file to edit.
std::string fix_of_path(const SourceLocation& where) {
  if (where.file == settings_source) return "A path after --set is relative to the current folder";
  if (is_missing(where.file)) return "If it has moved, --set data.train.images=FILE says where it is";
  return "Paths in a model file are relative to its folder";
}

}  // namespace

void resolve_paths(YamlNode& document, const Sources& sources) {
  const auto resolve = [&](YamlNode& path) { make_absolute(path, sources); };
  if (YamlNode* data = document.find("data")) visit_files_of_data(*data, resolve);
  YamlNode* weights = document.find("weights");
  if (weights == nullptr) return;
  visit_file(*weights, resolve);
  for (YamlNode& item : weights->items) visit_file(item, resolve);
}

std::optional<SourceLocation> place_of_data_file(const YamlNode& document, const std::string& file,
                                                 const Sources& sources) {
  std::optional<SourceLocation> place;
  const YamlNode* data = document.find("data");
  if (data == nullptr) return place;
  visit_files_of_data(*data, [&](const YamlNode& path) {
    if (!place && path.is_scalar() && is_part(file, path.text)) place = sources.location(path.place);
  });
  return place;
}

std::optional<SourceLocation> place_of_data_file(const std::string& model_file, const std::string& file) {
  Sources sources;
  const std::size_t source = sources.add(model_file, read_model_text(model_file, BudgetLimits{}.text + 1));
  Diagnostics diagnostics(sources);
  try {
    YamlNode document = parse_yaml(source, diagnostics);
    resolve_paths(document, sources);
    return place_of_data_file(document, file, sources);
  } catch (const Abandoned&) {  // it is another one meanwhile, and full of mistakes
    return std::nullopt;
  }
}

Error at_place(const Error& error, const std::string& file, const SourceLocation& where) {
  if (where.line == 0) return error;
  if (error.where().line > 0)
    return {
        error.code(),
        fmt::format("{} ({}:{}:{} names this file)", error.message(), where.file, where.line, where.column),
        error.where(), error.node()};
  const bool is_told = error.message().find(file) != std::string::npos;
  std::string message = is_told ? error.message() : fmt::format("{}: {}", file, error.message());
  if (is_missing(file)) message += (message.ends_with('?') ? " " : ". ") + fix_of_path(where);
  return {error.code(), message, where, error.node()};
}

}  // namespace graphrun
