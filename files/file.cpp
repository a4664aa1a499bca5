#include "files/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "errors/nearest_file.hpp"

namespace graphrun::files {
namespace {

namespace fs = std::filesystem;

/// More than this in one call is cut off by Linux anyway.
constexpr std::size_t largest_transfer = std::size_t{1} << 30;

std::string likely_fix(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
      return " (free some space, or choose another folder with --out)";
    case EACCES:
    case EPERM:
    case EROFS:
      return " (check its owner and permissions)";
    default:
      return {};
  }
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// Says which file may have been meant, if there is none of that name.
Error opening_error(const fs::path& path, int number) {
  const Error error = io_error(path, "open", number);
  return number == ENOENT ? Error(error.code(), error.message() + hint_on_missing(path), error.where())
                          : error;
}

constexpr std::string_view temporary_suffix = ".tmp";

/// The file that a name stands for: symbolic links are followed, also to a file that is not there yet.
fs::path behind_links(fs::path path) {
  constexpr int most_links = 40;  // Linux's own limit
  std::error_code code;
  for (int links = 0; fs::is_symlink(fs::symlink_status(path, code)); ++links) {
    if (links == most_links) throw io_error(path, "open", ELOOP);
    // An absolute path on the right of / replaces the folder.
    path = folder_of(path) / fs::read_symlink(path, code);
    if (code) throw io_error(path, "open", code.value());
  }
  return path;
}

/// The permissions of the file that is to be replaced; nothing where there is none. Renaming over a device
/// would put a plain file in its place.
std::optional<mode_t> permissions_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  if (S_ISDIR(status.st_mode)) throw io_error(path, "write", EISDIR);
  if (!S_ISREG(status.st_mode))
    throw Error(ErrorCode::io, "cannot write: it is a device or a pipe, and only files are written",
                {path.string()});
  return status.st_mode & 07777;
}

/// A file with a name, and locked: how remove_leftovers() knows that its process lives.
bool is_ours(int descriptor) {
  struct stat status {};
  const bool is_locked = ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
  return is_locked && ::fstat(descriptor, &status) == 0 && status.st_nlink > 0;
}

/// A new file beside `path`. The name has the process id, so two processes never share one; a leftover of a
/// process that was killed is passed over.
Descriptor create_beside(const fs::path& path, fs::path& temporary) {
  constexpr int attempts = 100;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    temporary = folder_of(path) /
                fmt::format(".{}.{}-{}{}", path.filename().string(), ::getpid(), attempt, temporary_suffix);
    Descriptor descriptor(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (descriptor.is_open() && is_ours(descriptor.number())) return descriptor;
    if (!descriptor.is_open() && errno != EEXIST) break;
  }
  const int number = errno;
  temporary.clear();
  if (number == ENOENT)
    throw Error(ErrorCode::io, fmt::format("cannot write: there is no folder '{}'", folder_of(path).string()),
                {path.string()});
  throw io_error(path, "create a temporary file beside it", number);
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// ".NAME.PID-ATTEMPT.tmp"
bool is_temporary_name(std::string_view name) {
  if (!name.starts_with('.') || !name.ends_with(temporary_suffix)) return false;
  name.remove_suffix(temporary_suffix.size());
  const std::size_t dot = name.rfind('.');
  const std::size_t dash = name.rfind('-');
  return dot > 0 && dash != std::string_view::npos && dash > dot &&
         is_digits(name.substr(dot + 1, dash - dot - 1)) && is_digits(name.substr(dash + 1));
}

}  // namespace

Error io_error(const fs::path& path, std::string_view action, int number) {
  return Error(
      ErrorCode::io,
      fmt::format("cannot {}: {}{}", action, std::generic_category().message(number), likely_fix(number)),
      {path.string()});
}

Error data_error(const fs::path& path, const std::string& message) {
  return Error(ErrorCode::data, message, {path.string()});
}

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

Descriptor::~Descriptor() {
  close();
}

int Descriptor::close() noexcept {
  if (!is_open()) return 0;
  // Linux closes the descriptor even when close(2) fails, so it is never called twice.
  return ::close(std::exchange(number_, -1)) == 0 ? 0 : errno;
}

InputFile::InputFile(fs::path path)
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    : path_(std::move(path)), descriptor_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (!descriptor_.is_open()) throw opening_error(path_, errno);
  struct stat status {};
  if (::fstat(descriptor_.number(), &status) != 0) throw io_error(path_, "read its size", errno);
  if (S_ISDIR(status.st_mode)) throw data_error(path_, "is a folder, not a file");
  if (!S_ISREG(status.st_mode)) throw data_error(path_, "is not a regular file");
  size_ = static_cast<std::uint64_t>(status.st_size);
}

std::size_t InputFile::read(std::uint64_t offset, std::span<std::uint8_t> into) const {
  const std::size_t wanted = std::min(into.size(), largest_transfer);
  for (;;) {
    const ssize_t got = ::pread(descriptor_.number(), into.data(), wanted, static_cast<off_t>(offset));
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) throw io_error(path_, "read", errno);
  }
}

void InputFile::read_exactly(std::uint64_t offset, std::span<std::uint8_t> into) const {
  std::size_t done = 0;
  while (done < into.size()) {
    const std::size_t got = read(offset + done, into.subspan(done));
    if (got == 0) {
      throw data_error(path_,
                       fmt::format("ends at byte {}, {} bytes too early", offset + done, into.size() - done));
    }
    done += got;
  }
}

Bytes read_file(const fs::path& path, std::uint64_t limit) {
  const InputFile file(path);
  if (file.size() > limit) {
    throw data_error(path, fmt::format("has {} bytes; at most {} are read", file.size(), limit));
  }
  Bytes bytes(file.size());
  file.read_exactly(0, bytes);
  std::uint8_t beyond = 0;
  if (file.read(file.size(), {&beyond, 1}) != 0) throw data_error(path, "grew while it was read");
  return bytes;
}

std::string read_text_file(const fs::path& path, std::uint64_t limit) {
  const Bytes bytes = read_file(path, limit);
  return {bytes.begin(), bytes.end()};
}

void write_fully(int descriptor, std::span<const std::uint8_t> bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor, bytes.data(), std::min(bytes.size(), largest_transfer));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) throw io_error(path, "write", put < 0 ? errno : EIO);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

AtomicFile::AtomicFile(fs::path path) : path_(behind_links(std::move(path))) {
  const std::optional<mode_t> permissions = permissions_of(path_);
  descriptor_ = create_beside(path_, temporary_);
  if (permissions) static_cast<void>(::fchmod(descriptor_.number(), *permissions));
}

AtomicFile::~AtomicFile() {
  descriptor_.close();
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::uint8_t> bytes) {
  write_fully(descriptor_.number(), bytes, path_);
}

void AtomicFile::write(std::string_view text) {
  write(as_bytes(text));
}

void AtomicFile::commit() {
  // A failed fsync may have dropped the pages: trying again would report success for lost data.
  if (::fsync(descriptor_.number()) != 0) throw io_error(path_, "write to the disk", errno);
  if (const int number = descriptor_.close(); number != 0) throw io_error(path_, "write", number);
  const fs::path folder = folder_of(path_);  // what may fail for lack of memory comes before
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) throw io_error(path_, "rename into place", errno);
  temporary_.clear();
  sync_folder(folder);
}

void remove_leftovers(const fs::path& folder) {
  std::error_code code;
  for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
    if (!is_temporary_name(it->path().filename().string())) continue;
    const Descriptor file(::open(it->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (file.is_open() && ::flock(file.number(), LOCK_EX | LOCK_NB) == 0) ::unlink(it->path().c_str());
  }
}

void write_file(const fs::path& path, std::span<const std::uint8_t> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void write_text_file(const fs::path& path, std::string_view text) {
  write_file(path, as_bytes(text));
}

void create_folders(const fs::path& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) throw io_error(folder, "create the folder", code.value());
}

void sync_folder(const fs::path& folder) {
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.is_open()) throw io_error(folder, "open the folder", errno);
  // Some file systems cannot sync a folder and say EINVAL: then there is nothing more to be done.
  if (::fsync(descriptor.number()) != 0 && errno != EINVAL)
    throw io_error(folder, "write to the disk", errno);
}

std::span<const std::uint8_t> as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace graphrun::files
