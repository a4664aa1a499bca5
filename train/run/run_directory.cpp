#include "train/run/run_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "errors/nearest_file.hpp"
#include "files/number_text.hpp"

namespace graphrun::train {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view runs_folder = "runs";
constexpr std::string_view checkpoint_prefix = "step-";
constexpr std::string_view checkpoint_suffix = ".safetensors";

/// A model may be called as it likes; of its name, a folder takes what cannot lead elsewhere.
std::string folder_name(std::string_view name) {
  constexpr std::size_t most = 200;  // of the 255 bytes that file systems allow
  std::string text;
  for (const char c : name.substr(0, most)) {
    const bool is_control = static_cast<unsigned char>(c) < ' ' || c == '\x7f';
    text += is_control || c == '/' || (c == '.' && text.empty()) ? '-' : c;
  }
  // A character of several bytes may have been cut.
  while (name.size() > most && !text.empty() && (text.back() & 0x80) != 0) text.pop_back();
  return text.empty() ? "model" : text;
}

/// N of "NAME-N".
std::optional<std::uint64_t> run_number(const fs::path& folder, std::string_view name) {
  const std::string text = folder.filename().string();
  if (text.size() <= name.size() + 1 || !text.starts_with(name) || text[name.size()] != '-')
    return std::nullopt;
  return files::number_in<std::uint64_t>(std::string_view(text).substr(name.size() + 1));
}

/// Folders below `folder`; none when it is not there.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    entries.push_back(it->path());
  if (error && error != std::errc::no_such_file_or_directory)
    throw files::io_error(folder, "read", error.value());
  return entries;
}

std::uint64_t highest_number(std::string_view name) {
  std::uint64_t highest = 0;
  for (const fs::path& entry : entries_of(runs_folder))
    highest = std::max(highest, run_number(entry, name).value_or(0));
  return highest;
}

/// mkdir decides between two runs that start at the same moment.
bool make_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0777) == 0) return true;
  if (errno != EEXIST) throw files::io_error(folder, "create", errno);
  return false;
}

fs::path make_numbered(std::string_view name) {
  files::create_folders(runs_folder);
  for (std::uint64_t number = highest_number(name) + 1;; ++number) {
    fs::path folder = fs::path(runs_folder) / fmt::format("{}-{}", name, number);
    if (make_folder(folder)) return folder;
  }
}

void require_empty(const fs::path& folder) {
  if (fs::is_directory(folder) && entries_of(folder).empty()) return;
  const bool is_run = fs::is_directory(folder / "checkpoints") && !checkpoint_files(folder).empty();
  const std::string resume =
      is_run ? fmt::format(", or continue it with --resume {}", folder.string()) : std::string();
  throw Error(ErrorCode::usage,
              fmt::format("{} is there already; choose another --out{}", folder.string(), resume));
}

void make_chosen(const fs::path& folder) {
  if (const fs::path parent = folder.parent_path(); !parent.empty()) files::create_folders(parent);
  if (!make_folder(folder)) require_empty(folder);
}

}  // namespace

RunDirectory RunDirectory::create(const fs::path& out, std::string_view name) {
  fs::path folder = out.has_filename() ? out : out.parent_path();
  if (folder.empty())
    folder = make_numbered(folder_name(name));
  else
    make_chosen(folder);
  RunDirectory run(std::move(folder));
  run.lock();
  require_empty(run.folder());  // another process may have been faster
  make_folder(run.checkpoints());
  make_folder(run.images());
  return run;
}

RunDirectory RunDirectory::open(const fs::path& folder) {
  RunDirectory run(folder);
  if (!fs::is_directory(run.checkpoints()))
    throw files::data_error(folder, fs::exists(folder)
                                        ? "is no run directory: it has no folder `checkpoints`"
                                        : "there is no such run directory" + hint_on_missing(folder));
  return run;
}

void RunDirectory::lock() {
  lock_ = files::Descriptor(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock_.is_open()) throw files::io_error(folder_, "open the folder", errno);
  // A file system that knows no locks does not keep anybody from learning.
  if (::flock(lock_.number(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    throw Error(ErrorCode::io, "another process is learning in this run directory; wait for it, or stop it",
                {folder_.string()});
  for (const fs::path& folder : {folder_, checkpoints(), images()}) files::remove_leftovers(folder);
}

fs::path RunDirectory::checkpoint_at(std::uint64_t step) const {
  return checkpoints() / fmt::format("{}{:08}{}", checkpoint_prefix, step, checkpoint_suffix);
}

std::optional<fs::path> newest_run(std::string_view name) {
  const std::string folder = folder_name(name);
  const std::uint64_t number = highest_number(folder);
  if (number == 0) return std::nullopt;
  return fs::path(runs_folder) / fmt::format("{}-{}", folder, number);
}

std::optional<std::uint64_t> step_of(const fs::path& checkpoint) {
  const std::string text = checkpoint.filename().string();
  if (!text.starts_with(checkpoint_prefix) || !text.ends_with(checkpoint_suffix)) return std::nullopt;
  const std::size_t length = text.size() - checkpoint_prefix.size() - checkpoint_suffix.size();
  return files::number_in<std::uint64_t>(std::string_view(text).substr(checkpoint_prefix.size(), length));
}

std::vector<fs::path> checkpoint_files(const fs::path& run) {
  std::vector<fs::path> files = entries_of(run / "checkpoints");
  std::erase_if(files, [](const fs::path& file) { return !step_of(file); });
  std::sort(files.begin(), files.end(),
            [](const fs::path& a, const fs::path& b) { return *step_of(a) > *step_of(b); });
  return files;
}

}  // namespace graphrun::train
