#include "files/partial_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace graphrun::files {
namespace {

namespace fs = std::filesystem;

fs::path part_of(const fs::path& whole) {
  fs::path part = whole;
  part += ".part";
  return part;
}

}  // namespace

PartialFile::PartialFile(fs::path whole) : whole_(std::move(whole)), path_(part_of(whole_)) {
  while (!lock()) {
  }
}

/// False if the process that had the lock has finished or removed the file meanwhile: then it is another one.
bool PartialFile::lock() {
  descriptor_ = Descriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!descriptor_.is_open()) throw io_error(path_, "open", errno);
  if (::flock(descriptor_.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) throw io_error(path_, "lock", errno);
    throw Error(ErrorCode::io, "another process is downloading this file; wait for it or stop it",
                {path_.string()});
  }
  struct stat opened {};
  struct stat named {};
  if (::fstat(descriptor_.number(), &opened) != 0) throw io_error(path_, "read its size", errno);
  if (!S_ISREG(opened.st_mode)) throw data_error(path_, "is not a regular file");
  size_ = static_cast<std::uint64_t>(opened.st_size);
  return ::stat(path_.c_str(), &named) == 0 && named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
}

void PartialFile::append(std::span<const std::uint8_t> bytes) {
  write_fully(descriptor_.number(), bytes, path_);
  size_ += bytes.size();
}

void PartialFile::restart() {
  if (::ftruncate(descriptor_.number(), 0) != 0) throw io_error(path_, "empty", errno);
  size_ = 0;
}

void PartialFile::finish() {
  if (::fsync(descriptor_.number()) != 0) throw io_error(path_, "write to the disk", errno);
  if (::rename(path_.c_str(), whole_.c_str()) != 0) throw io_error(whole_, "rename into place", errno);
  sync_folder(whole_.parent_path());
  descriptor_.close();
}

void PartialFile::discard() {
  if (::unlink(path_.c_str()) != 0) throw io_error(path_, "remove", errno);
  descriptor_.close();
}

}  // namespace graphrun::files
