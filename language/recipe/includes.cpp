#include "language/recipe/includes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "language/recipe/keys.hpp"
#include "language/syntax/scan.hpp"

namespace graphrun {
namespace {

namespace fs = std::filesystem;

class Includer {
 public:
  Includer(Sources& sources, Diagnostics& diagnostics) : sources_(sources), diagnostics_(diagnostics) {}

  void run(YamlNode& document, const std::string& file) {
    open_.push_back(fs::path(file).lexically_normal());
    const auto entry = std::find_if(document.entries.begin(), document.entries.end(),
                                    [](const YamlEntry& e) { return e.key == "include"; });
    if (entry == document.entries.end() || entry->value.is_empty()) return open_.pop_back();
    const YamlNode list = entry->value;
    document.entries.erase(entry);
    if (!list.is_sequence()) {
      diagnostics_.error(list.place,
                         fmt::format("`include:` is a list of files, not {}", describe_kind(list)),
                         list.is_scalar() ? fmt::format("Write include: [{}].", list.text) : "");
      return open_.pop_back();
    }
    for (const YamlNode& item : list.items) include(document, item);
    open_.pop_back();
  }

 private:
  void include(YamlNode& document, const YamlNode& item) {
    if (!item.is_scalar()) {
      diagnostics_.error(item.place, fmt::format("`include:` lists files, not {}", describe_kind(item)));
      return;
    }
    const fs::path path = (open_.back().parent_path() / item.text).lexically_normal();
    if (std::find(open_.begin(), open_.end(), path) != open_.end()) {
      diagnostics_.error(item.place, fmt::format("'{}' includes itself", path.string()));
      return;
    }
    if (std::find(done_.begin(), done_.end(), path) != done_.end())
      return;  // brought by another file already
    done_.push_back(path);
    std::string text;
    try {
      text = read_model_text(path.string());
    } catch (const Error& error) {
      diagnostics_.error(item.place, fmt::format("cannot include '{}': {}", path.string(), error.message()),
                         "The path is relative to the file that includes.");
      return;
    }
    YamlNode included = parse_yaml(sources_.add(path.string(), std::move(text)), diagnostics_);
    if (!included.is_mapping()) {
      if (diagnostics_.empty())
        diagnostics_.error(item.place, fmt::format("'{}' holds no blocks", path.string()));
      return;
    }
    check_keys(included, section_of("included"), {}, diagnostics_);
    run(included, path.string());
    merge(document, included);
  }

  void merge(YamlNode& document, const YamlNode& included) {
    const YamlNode* brought = included.find("blocks");
    if (brought == nullptr || !brought->is_mapping()) return;
    YamlNode* blocks = document.find("blocks");
    if (blocks == nullptr) {
      document.entries.push_back({"blocks", brought->place, *brought});
      return;
    }
    for (const YamlEntry& block : brought->entries) {
      const auto same = std::find_if(blocks->entries.begin(), blocks->entries.end(),
                                     [&block](const YamlEntry& e) { return e.key == block.key; });
      if (same == blocks->entries.end()) {
        blocks->entries.push_back(block);
      } else {
        const SourceLocation other = sources_.location(block.place);
        diagnostics_.error(
            same->place, fmt::format("block '{}' is also in {}, line {}", block.key, other.file, other.line),
            "Give one of them another name.");
      }
    }
  }

  Sources& sources_;
  Diagnostics& diagnostics_;
  std::vector<fs::path> open_;
  std::vector<fs::path> done_;
};

}  // namespace

std::string read_model_text(const std::string& path) {
  std::error_code failure;
  const fs::file_status status = fs::status(path, failure);
  if (!fs::exists(status)) throw Error(ErrorCode::io, "there is no such file", {path, 0, 0});
  if (fs::is_directory(status)) throw Error(ErrorCode::io, "this is a folder, not a file", {path, 0, 0});
  if (!fs::is_regular_file(status)) throw Error(ErrorCode::io, "this is no regular file", {path, 0, 0});
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorCode::io, "the file cannot be opened", {path, 0, 0});
  std::string text(largest_document + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) throw Error(ErrorCode::io, "the file cannot be read", {path, 0, 0});
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

void inline_includes(YamlNode& document, const std::string& file, Sources& sources,
                     Diagnostics& diagnostics) {
  if (document.is_mapping()) Includer(sources, diagnostics).run(document, file);
}

}  // namespace graphrun
