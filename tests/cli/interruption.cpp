// Runs that are interrupted, and what resuming makes of them.

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/run_graphrun.hpp"
#include "tests/cli/workplace.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/phased_model.hpp"

using namespace graphrun::testing;
namespace fs = std::filesystem;
using nlohmann::json;

TEST_CASE("a run with phases that is interrupted goes on in its phase, to the same bits and files") {
  const Workplace place;
  place.write("phased.yaml",
              phased_model("  phases:\n"
                           "    - name: layers\n"
                           "      greedy: {encoder: [enc, code], decoder: [dec, recon]}\n"
                           "      epochs: 1\n"
                           "    - {name: fine, epochs: 5, stop: {metric: class, patience: 1}}\n"
                           "    - {name: last, start: layers, loss: [class], epochs: 1}\n"));
  const json whole = place.run_json({"train", "phased.yaml", "--out", "whole"});
  const auto steps = whole["steps"].get<int>();
  for (const int until : {20, 52, steps - 5}) {
    const std::string run = "run-" + std::to_string(until);
    place.run_json({"train", "phased.yaml", "--out", run, "--max-steps", std::to_string(until)});
    const json resumed = place.run_json({"train", "--resume", run, "--threads", "1"});
    CHECK(resumed["digest"] == whole["digest"]);
    CHECK(resumed["steps"] == whole["steps"]);
    CHECK(resumed["phases"] == whole["phases"]);
  }
}

TEST_CASE("Ctrl-C finishes the step and saves, and resuming gives the bits of a run never interrupted") {
  const Workplace place("epochs: 100000, seed: 1");
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::string run = signal == SIGINT ? "int" : "term";
    ProcessOptions options;
    options.signal = signal;
    options.signal_when = "epoch      2/";
    const ProcessResult stopped = place.run({"train", "small.yaml", "--out", run, "--json"}, options);
    INFO(stopped.err);
    REQUIRE(stopped.exit_code == 128 + signal);
    CHECK(contains(stopped.err, "graphrun train --resume " + run + " continues it"));
    const auto steps = json::parse(stopped.out)["steps"].get<int>();
    CHECK(steps >= 32);
    const std::string until = std::to_string(steps + 25);
    const json resumed = place.run_json({"train", "--resume", run, "--max-steps", until, "--threads", "1"});
    const json whole = place.run_json({"train", "small.yaml", "--out", run + "-whole", "--max-steps", until});
    CHECK(resumed["steps"] == steps + 25);
    CHECK(resumed["digest"] == whole["digest"]);
    CHECK(resumed["test"] == whole["test"]);
  }
}

TEST_CASE("a second signal ends the program at once") {
  const Workplace place("epochs: 100000, seed: 1");
  ProcessOptions options;
  options.signal = SIGINT;
  options.signal_when = "run directory";
  options.signals = 2;
  // Steps that take long enough for the second signal to come within one.
  const ProcessResult result = place.run(
      {"train", "small.yaml", "--out", "run", "--set", "hidden=20000", "--set", "train.batch=500"}, options);
  CHECK(result.exit_code == 130);
  CHECK(checkpoints_in(place / "run").empty());
}

TEST_CASE("a damaged newest checkpoint is passed over when a run is resumed") {
  const Workplace place("epochs: 3, seed: 1");
  const json whole = place.run_json({"train", "small.yaml", "--out", "whole"});
  place.run_json({"train", "small.yaml", "--out", "run", "--set", "train.epochs=2"});
  const fs::path newest = place / "run/checkpoints/step-00000032.safetensors";
  fs::resize_file(newest, fs::file_size(newest) - 7);
  const ProcessResult resumed = place.run({"train", "small.yaml", "--resume", "run", "--json"});
  INFO(resumed.err);
  REQUIRE(resumed.exit_code == 0);
  CHECK(contains(resumed.err, "step-00000032.safetensors is passed over"));
  CHECK(json::parse(resumed.out)["digest"] == whole["digest"]);
  std::ifstream file(place / "run/metrics.csv");
  const std::string metrics{std::istreambuf_iterator<char>(file), {}};
  CHECK(std::count(metrics.begin(), metrics.end(), '\n') == 4);
}

TEST_CASE("resuming says what does not fit") {
  const Workplace place;
  CHECK(
      contains(place.run({"train", "small.yaml", "--resume"}).err, "there is no run of 'small' below runs/"));
  place.run_json({"train", "small.yaml"});
  const ProcessResult other = place.run({"train", "small.yaml", "--resume", "--set", "units=3"});
  CHECK(other.exit_code == 2);
  CHECK(contains(other.err, "the graph of the model is not the one"));
  const ProcessResult missing = place.run({"train", "--resume", "nowhere"});
  CHECK(missing.exit_code == 4);
  CHECK(contains(missing.err, "no such run directory"));
  CHECK(place.run({"train", "--resume", "runs/small-1", "--out", "x"}).exit_code == 2);
  // A run that has ended has nothing left to do, and stays as it is.
  const json again = place.run_json({"train", "small.yaml", "--resume"});
  CHECK(again["steps"] == 32);
}
