#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>

#include "files/sha256.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/folders.hpp"
#include "tests/support/idx_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/find_dataset.hpp"
#include "train/datasets/verified_sums.hpp"

using namespace graphrun;
using namespace graphrun::train;
using graphrun::testing::contains;
using graphrun::testing::gzip_bytes;
using graphrun::testing::idx_bytes;
using graphrun::testing::TemporaryFolder;
using graphrun::testing::throws;
namespace fs = std::filesystem;

namespace {

const fs::path source_data = testing::in_source("/data");
const fs::path debian_folder = "/usr/share/datasets";

bool full_set_is_installed() {
  return fs::exists(debian_folder / "fashion-mnist/train-images-idx3-ubyte.gz");
}

/// Claims in the memory of sums that the four files of a folder are a data set's, which makes small files
/// pass for it. That this works is itself the test that sums are remembered.
void pretend(const fs::path& folder, const KnownDataset& dataset, const fs::path& cache) {
  std::string lines;
  fs::create_directories(folder);
  for (std::size_t i = 0; i < dataset.files.size(); ++i) {
    const fs::path path = folder / dataset.files[i].name;
    files::write_file(
        path, i % 2 == 0 ? idx_bytes({1, 1, 1}, {static_cast<std::uint8_t>(i)}) : idx_bytes({1}, {7}));
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    std::string nanoseconds = std::to_string(status.st_mtim.tv_nsec);
    nanoseconds.insert(0, 9 - nanoseconds.size(), '0');
    lines += std::string(dataset.files[i].sha256) + " " + std::to_string(status.st_size) + " " +
             std::to_string(status.st_mtim.tv_sec) + "." + nanoseconds + " " + path.string() + "\n";
  }
  const fs::path memory = cache / "verified.txt";
  fs::create_directories(cache);
  if (fs::exists(memory)) lines += files::read_text_file(memory, 1 << 20);
  files::write_text_file(memory, lines);
}

const KnownDataset& fashion() {
  return known_dataset("fashion_mnist");
}

}  // namespace

TEST_CASE("the small data set in the repository is what its README says") {
  const DataFolders folders{"", "", "", {source_data}};
  const Dataset dataset = load_dataset("fashion_mnist", folders);
  CHECK(dataset.is_subset);
  CHECK(dataset.name == "fashion_mnist");
  CHECK(dataset.train.count == 1000);
  CHECK(dataset.test.count == 200);
  for (const ImageSet* set : {&dataset.train, &dataset.test}) {
    CHECK(set->height == 28);
    CHECK(set->width == 28);
    CHECK(set->channels == 1);
    std::array<std::size_t, 10> of_class{};
    for (const std::int32_t label : set->labels) ++of_class.at(static_cast<std::size_t>(label));
    for (const std::size_t count : of_class) CHECK(count == set->count / 10);
  }
  CHECK(decompressed_sha256(source_data / "fashion_mnist_1200/train-images-idx3-ubyte.gz") ==
        "a7e53275975bcefa1ef1bcac502fe6f5e4fd01774d43792f4a839144acf524f3");
  CHECK(decompressed_sha256(source_data / "fashion_mnist_1200/t10k-images-idx3-ubyte.gz") ==
        "c5778dde4e96eeb34657888930a98f527ac6b0cb35e9e969ba53f01dfce868bd");
}

TEST_CASE("Debian's Fashion-MNIST is found, verified once and remembered") {
  if (!full_set_is_installed()) {
    WARN("dataset-fashion-mnist is not installed: nothing to test");
    return;
  }
  const TemporaryFolder cache;
  const DataFolders folders{"", cache.path(), debian_folder, {source_data}};
  const Dataset dataset = load_dataset("fashion_mnist", folders);
  CHECK_FALSE(dataset.is_subset);
  CHECK(dataset.notes.empty());
  CHECK(dataset.folder == debian_folder / "fashion-mnist");
  CHECK(dataset.train.count == 60000);
  CHECK(dataset.test.count == 10000);
  CHECK(contains(files::read_text_file(cache / "verified.txt", 10000),
                 "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888 26421856 "));
}

TEST_CASE("folders are looked at in their order: chosen, cache, system") {
  const TemporaryFolder root;
  const fs::path cache = root / "cache";
  const DataFolders folders{root / "chosen", cache, root / "system", {source_data}};
  const auto folder_found = [&] { return find_dataset("fashion_mnist", folders).folder; };
  CHECK(folder_found() == source_data / "fashion_mnist_1200");
  pretend(root / "system/fashion-mnist", fashion(), cache);
  CHECK(folder_found() == root / "system/fashion-mnist");
  pretend(root / "cache/fashion_mnist", fashion(), cache);
  CHECK(folder_found() == root / "cache/fashion_mnist");
  pretend(root / "chosen", fashion(), cache);
  CHECK(folder_found() == root / "chosen");
  pretend(root / "chosen/fashion-mnist", fashion(), cache);
  CHECK(folder_found() == root / "chosen/fashion-mnist");
  pretend(root / "chosen/fashion_mnist", fashion(), cache);
  CHECK(folder_found() == root / "chosen/fashion_mnist");
  CHECK(load_dataset("fashion_mnist", folders).test.images == files::Bytes{2});
}

TEST_CASE("a remembered sum is not believed once the file has changed") {
  const TemporaryFolder root;
  const fs::path memory = root / "memory/verified.txt";
  const VerifiedSums sums(memory);
  files::write_text_file(root / "a", "abc");
  const std::string first = sums.sum_of(root / "a");
  CHECK(first == files::sha256(files::as_bytes("abc")));
  const std::string line = files::read_text_file(memory, 10000);
  files::write_text_file(memory, std::string(64, '0') + line.substr(64));
  CHECK(sums.sum_of(root / "a") == std::string(64, '0'));
  files::write_text_file(root / "a", "abcd");
  CHECK(sums.sum_of(root / "a") == files::sha256(files::as_bytes("abcd")));
  CHECK(std::size_t{1} == static_cast<std::size_t>(std::count(line.begin(), line.end(), '\n')));
  fs::last_write_time(root / "a", fs::file_time_type::clock::now() + std::chrono::seconds(5));
  const std::string changed = files::read_text_file(memory, 10000);
  files::write_text_file(memory, std::string(64, '0') + changed.substr(64));
  CHECK(sums.sum_of(root / "a") == files::sha256(files::as_bytes("abcd")));
}

TEST_CASE("a memory of sums that is nonsense or cannot be written costs nothing but time") {
  const TemporaryFolder root;
  files::write_text_file(root / "a", "abc");
  files::write_text_file(root / "nonsense", "\n\n x y z\n" + std::string(100, 'q'));
  CHECK(VerifiedSums(root / "nonsense").sum_of(root / "a") == files::sha256(files::as_bytes("abc")));
  CHECK(VerifiedSums("").sum_of(root / "a") == files::sha256(files::as_bytes("abc")));
  CHECK(VerifiedSums(root / "a/below/verified.txt").sum_of(root / "a") ==
        files::sha256(files::as_bytes("abc")));
  CHECK(VerifiedSums(root.path()).sum_of(root / "a") == files::sha256(files::as_bytes("abc")));
}

TEST_CASE("wrong contents are passed over when the right ones are elsewhere, else they are an error") {
  const TemporaryFolder root;
  const fs::path cache = root / "cache";
  const DataFolders folders{"", cache, root / "system", {source_data}};
  pretend(root / "system/fashion-mnist", fashion(), cache);
  pretend(root / "cache/fashion_mnist", fashion(), cache);
  files::write_file(root / "cache/fashion_mnist/train-images-idx3-ubyte", idx_bytes({1, 1, 1}, {99}));
  const Dataset dataset = load_dataset("fashion_mnist", folders);
  CHECK(dataset.folder == root / "system/fashion-mnist");
  REQUIRE(dataset.notes.size() == 1);
  CHECK(contains(dataset.notes[0],
                 "train-images-idx3-ubyte is not fashion_mnist's: its contents have the SHA-256"));
  fs::remove_all(root / "system");
  const auto load = [&] { load_dataset("fashion_mnist", folders); };
  CHECK(throws(load, ErrorCode::data, "is not fashion_mnist's"));
  CHECK(throws(load, ErrorCode::data, "`graphrun data fetch fashion_mnist`"));
  files::write_file(root / "cache/fashion_mnist/train-images-idx3-ubyte", files::Bytes{0x1f, 0x8b, 8});
  CHECK(throws(load, ErrorCode::data, "cut off"));
}

TEST_CASE("the chosen folder may hold another data set without harm") {
  const TemporaryFolder root;
  const fs::path cache = root / "cache";
  const DataFolders folders{root / "chosen", cache, "", {source_data}};
  pretend(root / "chosen", known_dataset("mnist"), cache);
  CHECK(find_dataset("mnist", folders).state == DatasetState::full);
  const FoundDataset found = find_dataset("fashion_mnist", folders);
  CHECK(found.state == DatasetState::subset);
  CHECK_FALSE(found.wrong.has_value());
}

TEST_CASE("an incomplete folder is passed over with a note") {
  const TemporaryFolder root;
  const DataFolders folders{"", root / "cache", "", {source_data}};
  pretend(root / "cache/fashion_mnist", fashion(), root / "cache");
  fs::remove(root / "cache/fashion_mnist/t10k-labels-idx1-ubyte");
  const Dataset dataset = load_dataset("fashion_mnist", folders);
  CHECK(dataset.is_subset);
  REQUIRE(dataset.notes.size() == 1);
  CHECK(contains(dataset.notes[0], "cache/fashion_mnist is not complete: t10k-labels-idx1-ubyte not there"));
}

TEST_CASE("data sets that are not there") {
  const TemporaryFolder root;
  const DataFolders folders{root / "chosen", root / "cache", root / "system", {source_data}};
  const auto load = [&](const char* name) { return [&folders, name] { load_dataset(name, folders); }; };
  CHECK(throws(load("mnist"), ErrorCode::data,
               "'mnist' was not found; looked in " + (root / "chosen/mnist").string()));
  CHECK(throws(load("mnist"), ErrorCode::data, "`graphrun data fetch mnist` downloads it"));
  CHECK(
      throws(load("minst"), ErrorCode::data, "no data set 'minst'; known by name are fashion_mnist, mnist."));
}

TEST_CASE("the environment says where data is looked for") {
  const auto set = [](const char* name, const char* value) { REQUIRE(::setenv(name, value, 1) == 0); };
  const char* home = std::getenv("HOME");
  const std::string old_home = home == nullptr ? "" : home;
  set("GRAPHRUN_DATA", "/chosen");
  set("XDG_CACHE_HOME", "/cache");
  DataFolders folders = DataFolders::from_environment();
  CHECK(folders.chosen == "/chosen");
  CHECK(folders.cache == "/cache/graphrun");
  CHECK(folders.system == "/usr/share/datasets");
  CHECK(folders.bundled.back() == source_data);
  set("XDG_CACHE_HOME", "relative");
  set("HOME", "/home/somebody");
  ::unsetenv("GRAPHRUN_DATA");
  folders = DataFolders::from_environment();
  CHECK(folders.chosen.empty());
  CHECK(folders.cache == "/home/somebody/.cache/graphrun");
  ::unsetenv("XDG_CACHE_HOME");
  ::unsetenv("HOME");
  CHECK(DataFolders::from_environment().cache.empty());
  if (home != nullptr) set("HOME", old_home.c_str());
}
