// What surrounds a run: signals, descriptors, other processes, and what to do next.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/run_graphrun.hpp"
#include "tests/cli/workplace.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_model.hpp"

using namespace graphrun::testing;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* endless = "epochs: 100000, seed: 1";

/// The program within a line of the shell, where it is called $0.
ProcessResult in_shell(const Workplace& place, const std::string& line, ProcessOptions options = {}) {
  options.folder = place.folder();
  return run_process({"/bin/sh", "-c", line, program_path()}, options);
}

}  // namespace

TEST_CASE("a terminal that is closed ends a run as SIGTERM does, however often it says so") {
  const Workplace place(endless);
  ProcessOptions options;
  options.signal = SIGHUP;
  options.signals = 3;
  options.signal_when = "epoch      1/";
  const ProcessResult stopped = place.run({"train", "small.yaml", "--out", "run", "--json"}, options);
  INFO(stopped.err);
  CHECK(stopped.exit_code == 129);
  const auto steps = json::parse(stopped.out)["steps"].get<int>();
  CHECK(place.run({"train", "--resume", "run", "--max-steps", std::to_string(steps + 1)}).exit_code == 0);
}

TEST_CASE("two signals that come together are one, as timeout sends them") {
  const Workplace place(endless);
  ProcessOptions options;
  options.signal = SIGTERM;
  options.signals = 2;
  options.between_signals = std::chrono::milliseconds(0);
  options.signal_when = "epoch      1/";
  const ProcessResult stopped = place.run({"train", "small.yaml", "--out", "run", "--json"}, options);
  INFO(stopped.err);
  CHECK(stopped.exit_code == 143);
  CHECK(json::parse(stopped.out)["steps"].get<int>() > 0);
}

TEST_CASE("a signal that the program is started to ignore stays ignored") {
  const Workplace place("epochs: 4, seed: 1");
  ProcessOptions options;
  options.signal = SIGHUP;
  options.signal_when = "epoch 1/4";
  const ProcessResult result =
      in_shell(place, "trap '' HUP; exec \"$0\" train small.yaml --out run --json", options);
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK(json::parse(result.out)["epochs"] == 4);
}

TEST_CASE("a signal that comes before anything is learnt leaves a run that can be continued") {
  const Workplace place(endless);
  const ProcessResult result =
      in_shell(place, "\"$0\" train small.yaml --out run & sleep 0.02; kill -TERM $!; wait $!");
  CHECK(result.exit_code == 143);
  if (fs::exists(place / "run"))
    CHECK(place.run({"train", "--resume", "run", "--max-steps", "1"}).exit_code == 0);
}

TEST_CASE("with standard streams closed, no file of a run takes their place") {
  const Workplace place("epochs: 1, seed: 1");
  const ProcessResult result = in_shell(place, "exec \"$0\" train small.yaml --out run <&- 2>&-");
  CHECK(result.exit_code == 0);
  std::ifstream file(place / "run/metrics.csv");
  const std::string metrics{std::istreambuf_iterator<char>(file), {}};
  CHECK(metrics.starts_with("step,epoch,"));
  CHECK(std::count(metrics.begin(), metrics.end(), '\n') == 2);
  const ProcessResult silent = in_shell(place, "exec \"$0\" ops relu >&-");
  CHECK(silent.exit_code == 4);
  CHECK(contains(silent.err, "cannot write the result to standard output"));
}

TEST_CASE("a run that learns cannot be continued by another process") {
  const Workplace place(endless);
  const ProcessResult result = in_shell(place,
                                        "\"$0\" train small.yaml --out run 2>log & first=$!\n"
                                        "until grep -q 'epoch *1/' log; do sleep 0.05; done\n"
                                        "\"$0\" train --resume run; code=$?\n"
                                        "kill -TERM $first; wait $first; exit $code");
  CHECK(result.exit_code == 4);
  CHECK(contains(result.err, "run: error: another process is learning in this run directory"));
}

TEST_CASE("what is left of a killed run is removed when it is continued, which keeps new settings") {
  const Workplace place("epochs: 1, seed: 1");
  place.run_json({"train", "small.yaml", "--out", "run"});
  place.write("run/checkpoints/.step-00000016.safetensors.77-0.tmp", "x");
  place.run_json({"train", "--resume", "run", "--set", "train.epochs=2"});
  CHECK(!fs::exists(place / "run/checkpoints/.step-00000016.safetensors.77-0.tmp"));
  const json resolved = place.run_json({"config", "run/resolved.yaml"});
  CHECK(contains(resolved["resolved"].get<std::string>(), "epochs: 2"));
}

TEST_CASE("what is offered next can be pasted into a shell and works") {
  const Workplace place("epochs: 1, seed: 1");
  place.write("table.csv", "a,b,c\n0.1,0.2,0.9\n0.3,0.4,0.5\n0.6,0.1,0.2\n0.7,0.7,0.1\n");
  place.write("table.yaml",
              "graphrun: 1\nname: it's a table\ndata: {train: {images: table.csv}}\n"
              "inputs: {x: {shape: [batch, 3]}}\n"
              "nodes:\n  code: {op: dense, in: x, units: 2}\n  recon: {op: dense, in: code, units: 3}\n"
              "outputs: {code: code, image: recon}\nloss: {r: {op: mse, in: [recon, x]}}\n"
              "train: {optimizer: {op: adam, lr: 0.01}, batch: 2, epochs: 2}\n");
  for (const std::string model : {"small.yaml", "table.yaml"}) {
    const ProcessResult result = place.run({model});
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    const std::size_t next = result.out.find("next:\n");
    REQUIRE(next != std::string::npos);
    const std::string lines = result.out.substr(next + 6);
    CHECK(std::count(lines.begin(), lines.end(), '\n') == 3);
    const ProcessResult done = in_shell(place, "set -e\n" + lines);
    INFO(lines << done.err);
    CHECK(done.exit_code == 0);
  }
  CHECK(fs::exists(place / "runs/it's a table-1/samples.csv"));
}
