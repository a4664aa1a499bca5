#include "files/scratch_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <utility>

namespace graphrun::files {

namespace {

namespace fs = std::filesystem;

/// The environment is read, so no other thread may be changing it.
fs::path scratch_folder() {
  const char* chosen = std::getenv("TMPDIR");
  if (chosen != nullptr && *chosen != '\0') return chosen;
  std::error_code ignored;
  return fs::is_directory("/var/tmp", ignored) ? "/var/tmp" : "/tmp";
}

Descriptor unnamed_file(const fs::path& folder) {
  Descriptor unnamed(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (unnamed.is_open()) return unnamed;
  // Not every file system has files without a name.
  std::string name = (folder / "graphrun-XXXXXX").string();
  Descriptor named(::mkostemp(name.data(), O_CLOEXEC));
  if (!named.is_open()) throw io_error(folder, "create a temporary file in it", errno);
  ::unlink(name.c_str());
  return named;
}

}  // namespace

MappedFile::MappedFile(Descriptor file, std::size_t size, const fs::path& path)
    : file_(std::move(file)), size_(size) {
  if (size == 0) return;
  void* const data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file_.number(), 0);
  if (data == MAP_FAILED) throw io_error(path, "map it into memory", errno);
  data_ = static_cast<const std::byte*>(data);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::has_read(std::size_t bytes) const noexcept {
  if (read_.fetch_add(bytes, std::memory_order_relaxed) + bytes < most_at_once) return;
  read_.store(0, std::memory_order_relaxed);
  ::madvise(const_cast<std::byte*>(data_), size_, MADV_DONTNEED);
}

ScratchFile::ScratchFile() : folder_(scratch_folder()), file_(unnamed_file(folder_)) {}

void ScratchFile::append(std::span<const std::byte> bytes) {
  write_fully(file_.number(), {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, folder_);
  size_ += bytes.size();
}

void ScratchFile::read(std::uint64_t offset, std::span<std::byte> into) const {
  while (!into.empty()) {
    const ssize_t got = ::pread(file_.number(), into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw io_error(folder_, "read a temporary file in it", got < 0 ? errno : EIO);
    into = into.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
}

std::shared_ptr<const MappedFile> ScratchFile::mapped() && {
  return std::make_shared<const MappedFile>(std::move(file_), static_cast<std::size_t>(size_), folder_);
}

}  // namespace graphrun::files
