#include "language/recipe/includes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "errors/nearest_file.hpp"
#include "language/recipe/keys.hpp"

namespace graphrun {
namespace {

namespace fs = std::filesystem;

/// Is the first line that is no comment `graphrun: …`?
bool is_model(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(" \r\n"), text.size()));
    if (!text.starts_with('#') && !text.starts_with("---")) return text.starts_with("graphrun:");
    text.remove_prefix(std::min(text.find('\n'), text.size()));
  }
}

/// A run has the model that it learnt.
std::string folder_refusal(const fs::path& folder) {
  std::error_code ignored;
  const fs::path model = folder / "resolved.yaml";
  return "this is a folder, not a file" +
         (fs::exists(model, ignored) ? fmt::format("; the model of this run is {}", model.string()) : "");
}

class Includer {
 public:
  Includer(YamlNode& document, const IncludeReader& reader, Sources& sources, Diagnostics& diagnostics)
      : document_(document), reader_(reader), sources_(sources), diagnostics_(diagnostics) {
    if (const YamlNode* const blocks = document.find("blocks"))
      for (const YamlEntry& block : blocks->entries) places_.emplace(block.key, block.place);
  }

  /// What `part` includes: the document itself, or a file that it includes.
  void run(YamlNode& part, const std::string& file) {
    open_.push_back(fs::path(file).lexically_normal());
    const auto entry = std::find_if(part.entries.begin(), part.entries.end(),
                                    [](const YamlEntry& e) { return e.key == "include"; });
    if (entry == part.entries.end() || entry->value.is_empty()) return open_.pop_back();
    const YamlNode list = std::move(entry->value);
    part.entries.erase(entry);
    if (!list.is_sequence()) {
      diagnostics_.error(list.place,
                         fmt::format("`include:` is a list of files, not {}", describe_kind(list)),
                         list.is_scalar() ? fmt::format("Write include: [{}].", list.text) : "");
      return open_.pop_back();
    }
    if (!reader_) {
      diagnostics_.error(list.place, "this model is a text, which may include no files",
                         "Write the blocks into it, or load it from its file.");
      return open_.pop_back();
    }
    for (const YamlNode& item : list.items) include(item);
    open_.pop_back();
  }

 private:
  void include(const YamlNode& item) {
    if (!item.is_scalar()) {
      diagnostics_.error(item.place, fmt::format("`include:` lists files, not {}", describe_kind(item)));
      return;
    }
    const fs::path path = (open_.back().parent_path() / item.text).lexically_normal();
    if (std::find(open_.begin(), open_.end(), path) != open_.end()) {
      diagnostics_.error(item.place, fmt::format("'{}' includes itself", path.string()));
      return;
    }
    if (open_.size() > deepest_includes) {
      diagnostics_.error(item.place, fmt::format("files include files more than {} deep", deepest_includes));
      return;
    }
    if (!done_.insert(path.string()).second) return;  // brought by another file already
    std::string text;
    try {
      diagnostics_.budget().spend(Resource::text, bytes_of_include);
      text = reader_(path.string(), diagnostics_.budget().left(Resource::text) + 1);
    } catch (const OverBudget& over) {
      diagnostics_.error(item.place, over.message(), over.fix());
      throw Abandoned{};
    } catch (const Error& error) {
      diagnostics_.error(item.place, fmt::format("cannot include '{}': {}", path.string(), error.message()),
                         "The path is relative to the file that includes.");
      return;
    }
    // Of any other file nothing is shown, not even a line with its first mistake.
    if (!is_model(text)) {
      diagnostics_.error(item.place, fmt::format("'{}' is no model file", path.string()),
                         "A file that is included starts with `graphrun: 1`.");
      return;
    }
    YamlNode included = parse_yaml(sources_.add(path.string(), std::move(text)), diagnostics_);
    if (!included.is_mapping()) {
      if (diagnostics_.empty())
        diagnostics_.error(item.place, fmt::format("'{}' holds no blocks", path.string()));
      return;
    }
    check_keys(included, section_of("included"), {}, diagnostics_);
    merge(included);
    run(included, path.string());
  }

  void merge(const YamlNode& included) {
    const YamlNode* brought = included.find("blocks");
    if (brought == nullptr || !brought->is_mapping()) return;
    if (document_.find("blocks") == nullptr) {
      YamlNode none;
      none.kind = YamlNode::Kind::mapping;
      none.place = brought->place;
      document_.entries.push_back({"blocks", brought->place, std::move(none)});
    }
    YamlNode& blocks = *document_.find("blocks");
    for (const YamlEntry& block : brought->entries) {
      const auto [same, is_new] = places_.emplace(block.key, block.place);
      if (is_new) {
        blocks.entries.push_back(block);
      } else {
        const SourceLocation other = sources_.location(block.place);
        diagnostics_.error(
            same->second, fmt::format("block '{}' is also in {}, line {}", block.key, other.file, other.line),
            "Give one of them another name.");
      }
    }
  }

  static constexpr std::size_t deepest_includes = 16;
  static constexpr std::size_t bytes_of_include = 64;  // what a file costs beside its text

  YamlNode& document_;
  const IncludeReader& reader_;
  Sources& sources_;
  Diagnostics& diagnostics_;
  std::vector<fs::path> open_;
  std::set<std::string> done_;
  std::map<std::string, Place> places_;  // of the blocks that there are
};

}  // namespace

std::string read_model_text(const std::string& path, std::size_t most) {
  std::error_code failure;
  const fs::file_status status = fs::status(path, failure);
  if (!fs::status_known(status)) throw Error(ErrorCode::io, failure.message(), {path, 0, 0});
  if (!fs::exists(status))
    throw Error(ErrorCode::io, "there is no such file" + hint_on_missing(path), {path, 0, 0});
  if (fs::is_directory(status)) throw Error(ErrorCode::io, folder_refusal(path), {path, 0, 0});
  if (!fs::is_regular_file(status)) throw Error(ErrorCode::io, "this is no regular file", {path, 0, 0});
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw Error(ErrorCode::io, "the file cannot be opened (check its owner and permissions)", {path, 0, 0});
  const std::uintmax_t size = std::min<std::uintmax_t>(fs::file_size(path), most);
  std::string text(size, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) throw Error(ErrorCode::io, "the file cannot be read", {path, 0, 0});
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

void inline_includes(YamlNode& document, const std::string& file, const IncludeReader& reader,
                     Sources& sources, Diagnostics& diagnostics) {
  if (document.is_mapping()) Includer(document, reader, sources, diagnostics).run(document, file);
}

}  // namespace graphrun
