#include <filesystem>
#include <fstream>
#include <optional>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/run/run_directory.hpp"

using namespace graphrun;
using namespace graphrun::train;
using graphrun::testing::TemporaryFolder;
using graphrun::testing::throws;
namespace fs = std::filesystem;

namespace {

/// Works in another folder for the duration of a test.
class WorkingFolder {
 public:
  explicit WorkingFolder(const fs::path& folder) : before_(fs::current_path()) { fs::current_path(folder); }
  ~WorkingFolder() { fs::current_path(before_); }
  WorkingFolder(const WorkingFolder&) = delete;
  WorkingFolder& operator=(const WorkingFolder&) = delete;

 private:
  fs::path before_;
};

}  // namespace

TEST_CASE("runs are numbered, and the newest is the one with the highest number") {
  const TemporaryFolder folder;
  const WorkingFolder here(folder.path());
  CHECK(!newest_run("vae"));
  CHECK(RunDirectory::create({}, "vae").folder() == "runs/vae-1");
  CHECK(RunDirectory::create({}, "vae").folder() == "runs/vae-2");
  CHECK(RunDirectory::create({}, "vae-2").folder() == "runs/vae-2-1");
  fs::create_directory("runs/vae-10");
  CHECK(RunDirectory::create({}, "vae").folder() == "runs/vae-11");
  CHECK(*newest_run("vae") == "runs/vae-11");
  CHECK(fs::is_directory("runs/vae-11/checkpoints"));
  CHECK(fs::is_directory("runs/vae-11/images"));
}

TEST_CASE("a chosen folder is never overwritten") {
  const TemporaryFolder folder;
  const fs::path out = folder / "a/b/";
  RunDirectory::create(out, "vae");
  CHECK(throws([&] { RunDirectory::create(out, "vae"); }, ErrorCode::usage,
               "is there already; choose another --out"));
  fs::create_directory(folder / "empty");
  CHECK_NOTHROW(RunDirectory::create(folder / "empty", "vae"));
  // Only what can be continued is offered to be.
  const auto offers_resume = [&] {
    return throws([&] { RunDirectory::create(out, "vae"); }, ErrorCode::usage,
                  "or continue it with --resume");
  };
  CHECK_FALSE(offers_resume());
  std::ofstream(out / "checkpoints/step-00000001.safetensors") << "x";
  CHECK(offers_resume());
  std::ofstream(folder / "file") << "x";
  CHECK(throws([&] { RunDirectory::create(folder / "file", "vae"); }, ErrorCode::usage, "is there already"));
  CHECK(throws([&] { RunDirectory::create(folder / "file/run", "vae"); }, ErrorCode::io, "file"));
}

TEST_CASE("opening something else than a run directory says so") {
  const TemporaryFolder folder;
  CHECK(throws([&] { RunDirectory::open(folder.path()); }, ErrorCode::data, "has no folder `checkpoints`"));
  CHECK(throws([&] { RunDirectory::open(folder / "none"); }, ErrorCode::data, "no such run directory"));
}

TEST_CASE("checkpoints are listed newest first, other files left aside") {
  const TemporaryFolder folder;
  const RunDirectory run = RunDirectory::create(folder / "run", "vae");
  for (const std::uint64_t step : {9ULL, 120ULL, 100000000ULL}) std::ofstream(run.checkpoint_at(step)) << "x";
  std::ofstream(run.checkpoints() / "step-00000200.safetensors.tmp") << "x";
  std::ofstream(run.checkpoints() / "step-.safetensors") << "x";
  std::ofstream(run.checkpoints() / "notes.txt") << "x";
  const std::vector<fs::path> files = checkpoint_files(run.folder());
  REQUIRE(files.size() == 3);
  CHECK(files[0].filename() == "step-100000000.safetensors");
  CHECK(files[1].filename() == "step-00000120.safetensors");
  CHECK(step_of(files[2]) == 9);
}

TEST_CASE("one process at a time writes into a run directory, and what killed ones have left is removed") {
  const TemporaryFolder folder;
  std::optional<RunDirectory> first(RunDirectory::create(folder / "run", "vae"));
  RunDirectory second = RunDirectory::open(folder / "run");
  CHECK(throws([&] { second.lock(); }, ErrorCode::io, "another process is learning in this run directory"));
  std::ofstream(second.checkpoints() / ".step-00000009.safetensors.123-0.tmp") << "x";
  std::ofstream(second.images() / ".reconstruction-000009.png.123-0.tmp") << "x";
  first.reset();
  second.lock();
  CHECK(fs::is_empty(second.checkpoints()));
  CHECK(fs::is_empty(second.images()));
}

TEST_CASE("the name of a model leads nowhere else than below runs") {
  const TemporaryFolder folder;
  const WorkingFolder here(folder.path());
  CHECK(RunDirectory::create({}, "/tmp/vae").folder() == "runs/-tmp-vae-1");
  CHECK(RunDirectory::create({}, "../vae").folder() == "runs/-.-vae-1");
  CHECK(*newest_run("../vae") == "runs/-.-vae-1");
  CHECK(RunDirectory::create({}, "..").folder() == "runs/-.-1");
  CHECK(RunDirectory::create({}, "").folder() == "runs/model-1");
  CHECK(RunDirectory::create({}, "two words\n").folder() == "runs/two words--1");
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "\u00e4";
  const std::string cut = RunDirectory::create({}, "a" + umlauts).folder().filename().string();
  CHECK(cut.size() < 210);
}
