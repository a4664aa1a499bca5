#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "files/file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::files;
using graphrun::testing::TemporaryFolder;
using graphrun::testing::throws;
namespace fs = std::filesystem;

namespace {

std::ptrdiff_t files_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

/// Writes beyond this size fail with EFBIG, as a full disk makes them fail with ENOSPC.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    old_handler_ = ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    ::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_{};
  void (*old_handler_)(int) = nullptr;
};

}  // namespace

TEST_CASE("a file is written and read back, and replaced") {
  const TemporaryFolder folder;
  write_text_file(folder / "a", "first");
  CHECK(read_text_file(folder / "a", 100) == "first");
  write_text_file(folder / "a", "");
  CHECK(read_text_file(folder / "a", 0).empty());
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a file appears only with its commit") {
  const TemporaryFolder folder;
  write_text_file(folder / "a", "old");
  {
    AtomicFile file(folder / "a");
    file.write("new");
    CHECK(read_text_file(folder / "a", 100) == "old");
    CHECK(files_in(folder.path()) == 2);
  }
  CHECK(read_text_file(folder / "a", 100) == "old");
  CHECK(files_in(folder.path()) == 1);
  AtomicFile file(folder / "a");
  file.write("ne");
  file.write("w");
  file.commit();
  CHECK(read_text_file(folder / "a", 100) == "new");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("two files of the same name may be open at once, and the last commit wins") {
  const TemporaryFolder folder;
  AtomicFile first(folder / "a");
  AtomicFile second(folder / "a");
  first.write("first");
  second.write("second");
  second.commit();
  first.commit();
  CHECK(read_text_file(folder / "a", 100) == "first");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a new file has the permissions that the umask leaves, not those of a temporary file") {
  const TemporaryFolder folder;
  const mode_t old = ::umask(027);
  write_text_file(folder / "a", "text");
  ::umask(old);
  struct stat status {};
  REQUIRE(::stat((folder / "a").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0640);
}

TEST_CASE("a file that is replaced keeps its permissions") {
  const TemporaryFolder folder;
  write_text_file(folder / "a", "secret");
  fs::permissions(folder / "a", fs::perms::owner_read | fs::perms::owner_write);
  write_text_file(folder / "a", "new");
  struct stat status {};
  REQUIRE(::stat((folder / "a").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("a symbolic link is written through, also one to a file that is not there yet") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "far");
  fs::create_symlink("far/file", folder / "link");
  fs::create_symlink(folder / "link", folder / "second");
  for (const std::string text : {"first", "second"}) {
    write_text_file(folder / "second", text);
    CHECK(read_text_file(folder / "far/file", 100) == text);
  }
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(fs::is_symlink(folder / "second"));
  fs::create_symlink("circle", folder / "circle");
  CHECK(throws([&] { write_text_file(folder / "circle", "x"); }, ErrorCode::io, "cannot open"));
}

TEST_CASE("devices and pipes are never replaced by files") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  fs::create_symlink("/dev/null", folder / "null");
  for (const fs::path& path : {folder / "pipe", folder / "null"})
    CHECK(throws([&] { write_text_file(path, "x"); }, ErrorCode::io, "it is a device or a pipe"));
  CHECK(fs::is_fifo(folder / "pipe"));
  CHECK(fs::is_character_file("/dev/null"));
}

TEST_CASE("what a killed process has left is removed, and nothing else") {
  const TemporaryFolder folder;
  const std::vector<std::string> others{".a.1-x.tmp", ".a.tmp", "a.1-0.tmp", ".1-0.tmp.", "step.safetensors"};
  for (const std::string& name : others) write_text_file(folder / name, "x");
  write_text_file(folder / ".step.safetensors.99-0.tmp", "x");
  AtomicFile living(folder / "a");
  remove_leftovers(folder.path());
  CHECK(!fs::exists(folder / ".step.safetensors.99-0.tmp"));
  CHECK(files_in(folder.path()) == static_cast<std::ptrdiff_t>(others.size()) + 1);
  living.commit();
  CHECK(fs::exists(folder / "a"));
  CHECK_NOTHROW(remove_leftovers(folder / "none"));
}

TEST_CASE("when the disk refuses, the old file stays and the temporary one is removed") {
  const TemporaryFolder folder;
  write_text_file(folder / "a", "old");
  const Bytes large(1 << 20, 7);
  {
    const FileSizeLimit limit(4096);
    CHECK(throws([&] { write_file(folder / "a", large); }, ErrorCode::io, "cannot write: File too large"));
  }
  CHECK(read_text_file(folder / "a", 100) == "old");
  CHECK(files_in(folder.path()) == 1);
  CHECK_NOTHROW(write_file(folder / "a", large));
}

TEST_CASE("a full device is an error that says what to do") {
  const Descriptor full(::open("/dev/full", O_WRONLY));
  REQUIRE(full.is_open());
  const auto write = [&] { write_fully(full.number(), as_bytes("x"), "weights"); };
  CHECK(
      throws(write, ErrorCode::io, "weights: error: cannot write: No space left on device (free some space"));
}

TEST_CASE("files that cannot be written name their path and the reason") {
  const TemporaryFolder folder;
  const fs::path missing = folder / "none/a";
  CHECK(throws([&] { write_text_file(missing, "x"); }, ErrorCode::io, missing.string()));
  CHECK(throws([&] { write_text_file(missing, "x"); }, ErrorCode::io, "cannot write: there is no folder"));
  fs::create_directory(folder / "taken");
  CHECK(throws([&] { write_text_file(folder / "taken", "x"); }, ErrorCode::io, "Is a directory"));
  CHECK(files_in(folder.path()) == 1);
  write_text_file(folder / "plain", "x");
  CHECK(throws([&] { create_folders(folder / "plain/below"); }, ErrorCode::io, "Not a directory"));
  CHECK(throws([&] { sync_folder(folder / "nowhere"); }, ErrorCode::io, "No such file"));
}

TEST_CASE("files that cannot be read") {
  const TemporaryFolder folder;
  const auto read = [](const fs::path& path) { return [path] { read_file(path, 10); }; };
  CHECK(throws(read(folder / "none"), ErrorCode::io, "cannot open: No such file or directory"));
  CHECK(throws(read(folder.path()), ErrorCode::data, "is a folder"));
  CHECK(throws(read("/dev/zero"), ErrorCode::data, "is not a regular file"));
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(throws(read(folder / "pipe"), ErrorCode::data, "is not a regular file"));
  write_text_file(folder / "long", "12345678901");
  CHECK(throws(read(folder / "long"), ErrorCode::data, "has 11 bytes; at most 10 are read"));
}

TEST_CASE("a piece of a file, and one that reaches beyond its end") {
  const TemporaryFolder folder;
  write_text_file(folder / "a", "0123456789");
  const InputFile file(folder / "a");
  CHECK(file.size() == 10);
  Bytes three(3);
  file.read_exactly(7, three);
  CHECK(three == Bytes{'7', '8', '9'});
  CHECK(throws([&] { file.read_exactly(8, three); }, ErrorCode::data, "ends at byte 10, 1 bytes too early"));
  CHECK(file.read(10, three) == 0);
}

TEST_CASE("folders are created with those above them, and may be there already") {
  const TemporaryFolder folder;
  create_folders(folder / "a/b/c");
  CHECK_NOTHROW(create_folders(folder / "a/b/c"));
  CHECK(fs::is_directory(folder / "a/b/c"));
}
