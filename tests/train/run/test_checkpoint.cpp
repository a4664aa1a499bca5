#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>

#include "tests/support/catch.hpp"
#include "tests/support/small_model.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/learn/definition.hpp"
#include "train/run/checkpoint_choice.hpp"
#include "train/run/run_directory.hpp"

using namespace graphrun;
using namespace graphrun::testing;
using namespace graphrun::train;
namespace fs = std::filesystem;

namespace {

Learner small_learner(std::uint64_t seed = 1, const std::vector<std::string>& settings = {}) {
  Learner learner(parse_definition(small_model(), "small.yaml", settings), {});
  learner.state().seed = seed;
  learner.initialise();
  return learner;
}

void flip_byte(const fs::path& path, std::uint64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(byte ^ 0x10));
}

/// Checkpoints of one learner at these steps, with these scores.
/// `highest`: whether the highest score is the best one.
RunDirectory run_with(const fs::path& folder, const std::vector<std::pair<std::uint64_t, double>>& steps,
                      bool highest = false) {
  RunDirectory run = RunDirectory::create(folder, "small");
  Learner learner = small_learner();
  TrainingState& state = learner.state();
  for (const auto& [step, score] : steps) {
    state.step = step;
    state.score = score;
    state.best_score = highest ? std::fmax(state.best_score, score) : std::fmin(state.best_score, score);
    save_checkpoint(run.checkpoint_at(step), learner);
  }
  return run;
}

}  // namespace

TEST_CASE("a checkpoint holds weights, state and model") {
  const TemporaryFolder folder;
  Learner learner = small_learner(7);
  learner.state().step = 12;
  save_checkpoint(folder / "a.safetensors", learner);
  const Checkpoint checkpoint(folder / "a.safetensors");
  CHECK(checkpoint.state().step == 12);
  CHECK(checkpoint.state().seed == 7);
  CHECK(checkpoint.model() == learner.model().resolved);
  CHECK(checkpoint.made_with() == made_with(learner));
  Learner other = small_learner(8);
  CHECK(other.digest() != learner.digest());
  restore(other, checkpoint);
  CHECK(other.digest() == learner.digest());
  CHECK(other.state().step == 12);
}

TEST_CASE("what a checkpoint holds and nothing uses is left out") {
  const TemporaryFolder folder;
  Learner old = small_learner();
  for (const char* const name : {"enc.unused", "adam/enc.unused/m", "note"})
    old.variables().declare(name, {3}, {}, false).initialised = true;
  old.kept()["first"] = old.weights();
  old.kept()["first"]["enc.unused"] = {1, 2, 3};
  save_checkpoint(folder / "old.safetensors", old);
  Learner learner = small_learner(8);
  std::vector<std::string> unused = restore(learner, Checkpoint(folder / "old.safetensors"));
  std::ranges::sort(unused);
  CHECK(unused == std::vector<std::string>{"adam/enc.unused/m", "enc.unused", "note"});
  CHECK(learner.digest() == old.digest());
  CHECK(learner.variables().find("enc.unused") == nullptr);
  CHECK_FALSE(learner.kept().at("first").contains("enc.unused"));
  save_checkpoint(folder / "new.safetensors", learner);
  CHECK(restore(learner, Checkpoint(folder / "new.safetensors")).empty());
}

TEST_CASE("a checkpoint of another model is refused and changes nothing") {
  const TemporaryFolder folder;
  save_checkpoint(folder / "a.safetensors", small_learner());
  Learner wider = small_learner(1, {"hidden=33"});
  const std::string before = wider.digest();
  CHECK(throws([&] { restore(wider, Checkpoint(folder / "a.safetensors")); }, ErrorCode::data,
               "is f32[784, 32] in the file and f32[784, 33] in the model"));
  CHECK(wider.digest() == before);
}

TEST_CASE("every changed byte of a checkpoint is found") {
  const TemporaryFolder folder;
  const fs::path good = folder / "good.safetensors";
  save_checkpoint(good, small_learner());
  const fs::path bad = folder / "bad.safetensors";
  std::random_device device;
  const std::uint64_t seed = device();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  int unharmed = 0;
  for (int trial = 0; trial < 200; ++trial) {
    fs::copy_file(good, bad, fs::copy_options::overwrite_existing);
    // Half of them in the header, which is short.
    const std::uint64_t at = random() % (trial % 2 == 0 ? 4096 : fs::file_size(good));
    flip_byte(bad, at);
    const auto error = thrown([&] { Checkpoint checkpoint(bad); });
    if (!error) ++unharmed;
    if (error) CHECK(error->code() == ErrorCode::data);
  }
  CHECK(unharmed == 0);
}

TEST_CASE("damaged newest checkpoints are passed over, saying so") {
  const TemporaryFolder folder;
  const RunDirectory run = run_with(folder / "run", {{10, 0.5}, {20, 0.4}, {30, 0.3}});
  flip_byte(run.checkpoint_at(30), fs::file_size(run.checkpoint_at(30)) - 5);
  std::ofstream(run.checkpoint_at(40)) << "not a checkpoint";
  const FoundCheckpoint found = newest_checkpoint(run.folder());
  CHECK(found.checkpoint.state().step == 20);
  REQUIRE(found.notes.size() == 2);
  CHECK(contains(found.notes[0], "step-00000040.safetensors is passed over"));
  CHECK(contains(found.notes[1], "step-00000030.safetensors is passed over"));
  flip_byte(run.checkpoint_at(20), 9);
  flip_byte(run.checkpoint_at(10), 9);
  CHECK(throws([&] { newest_checkpoint(run.folder()); }, ErrorCode::data, "no checkpoint that can be used"));
}

TEST_CASE("a newest checkpoint that is a link to nowhere, or a folder, is passed over") {
  const TemporaryFolder folder;
  const RunDirectory run = run_with(folder / "run", {{10, 0.5}});
  fs::create_symlink("/nowhere/at/all", run.checkpoint_at(30));
  fs::create_directory(run.checkpoint_at(20));
  CHECK(newest_checkpoint(run.folder()).checkpoint.state().step == 10);
  CHECK(best_checkpoint(run.folder()).checkpoint.state().step == 10);
  CHECK(newest_checkpoint(run.folder()).notes.size() == 2);
}

TEST_CASE("the best checkpoint is that of the lowest score, the earliest of equals") {
  const TemporaryFolder folder;
  const RunDirectory run = run_with(folder / "run", {{10, 0.5}, {20, 0.2}, {30, 0.2}, {40, 0.3}});
  CHECK(best_checkpoint(run.folder()).checkpoint.state().step == 20);
  CHECK(find_checkpoint(run.folder(), false).checkpoint.state().step == 40);
  CHECK(find_checkpoint(run.checkpoint_at(10), false).checkpoint.state().step == 10);
}

TEST_CASE("the best checkpoint is that of the highest score where that is the best one") {
  const TemporaryFolder folder;
  const RunDirectory run = run_with(folder / "run", {{10, 0.5}, {20, 0.9}, {30, 0.9}, {40, 0.7}}, true);
  CHECK(best_checkpoint(run.folder()).checkpoint.state().step == 20);
  flip_byte(run.checkpoint_at(20), 9);
  flip_byte(run.checkpoint_at(30), 9);
  CHECK(best_checkpoint(run.folder()).checkpoint.state().step == 40);
}

TEST_CASE("what was never measured is not the best checkpoint, unless nothing else is there") {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const TemporaryFolder folder;
  const RunDirectory begun = run_with(folder / "begun", {{0, none}});
  CHECK(best_checkpoint(begun.folder()).checkpoint.state().step == 0);
  const RunDirectory run = run_with(folder / "run", {{0, none}, {10, 0.5}});
  CHECK(best_checkpoint(run.folder()).checkpoint.state().step == 10);
  const RunDirectory stopped = run_with(folder / "stopped", {{10, 0.5}, {15, none}});
  CHECK(best_checkpoint(stopped.folder()).checkpoint.state().step == 10);
}

TEST_CASE("pruning keeps the newest and the best") {
  const TemporaryFolder folder;
  const RunDirectory run = run_with(folder / "run", {{10, 0.5}, {20, 0.2}, {30, 0.4}, {40, 0.3}, {50, 0.3}});
  prune_checkpoints(run.folder(), 2, 20);
  const std::vector<fs::path> left = checkpoint_files(run.folder());
  REQUIRE(left.size() == 3);
  CHECK(step_of(left[0]) == 50);
  CHECK(step_of(left[1]) == 40);
  CHECK(step_of(left[2]) == 20);
}

TEST_CASE("a safetensors file of others is no checkpoint") {
  const TemporaryFolder folder;
  const fs::path path = folder / "plain.safetensors";
  files::write_safetensors(path, {}, {});
  CHECK(throws([&] { Checkpoint checkpoint(path); }, ErrorCode::data, "no checkpoint of graphrun's"));
}
