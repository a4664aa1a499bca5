// What commands print as JSON.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/cli/run_graphrun.hpp"
#include "tests/cli/workplace.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun::testing;
namespace fs = std::filesystem;
using nlohmann::json;

TEST_CASE("what is printed as JSON has the documented keys: runs and what is made of them") {
  const Workplace place;
  const json run = place.run_json({"train", "small.yaml", "--out", "run"});
  CHECK(keys_of(run) == Keys{"checkpoint", "digest", "epochs", "precision", "provider", "report", "run_dir",
                             "seconds", "steps", "test", "train"});
  CHECK(run["steps"] == 32);
  CHECK(run["epochs"] == 2);
  CHECK(keys_of(run["train"]) == Keys{"loss", "reconstruction"});
  CHECK(keys_of(run["test"]) == Keys{"loss", "psnr", "reconstruction"});
  CHECK(run["digest"].get<std::string>().size() == 64);

  const json eval = place.run_json({"eval", "run"});
  CHECK(keys_of(eval) == Keys{"count", "loss", "psnr", "reconstruction"});
  CHECK(eval["count"] == 200);
  CHECK(eval["loss"] == run["test"]["loss"]);

  const json codes = place.run_json({"encode", "run", "--out", "codes.csv"});
  CHECK(keys_of(codes) == Keys{"count", "file", "shape"});
  CHECK(codes["shape"] == "[200, 2]");
  CHECK(keys_of(place.run_json({"decode", "run", "codes.csv"})) == Keys{"count", "file"});
  CHECK(fs::exists(place / "run/decoded.png"));
  CHECK(keys_of(place.run_json({"reconstruct", "run"})) == Keys{"count", "file", "mse"});
  CHECK(fs::exists(place / "run/reconstruction.png"));
  CHECK(run["report"] == "run/report.html");
  fs::remove(place / "run/report.html");
  const json report = place.run_json({"report", "run"});
  CHECK(keys_of(report) == Keys{"bytes", "file"});
  CHECK(report["file"] == "run/report.html");
  CHECK(fs::file_size(place / "run/report.html") == report["bytes"]);
  CHECK(place.run_json({"report", "run", "--best", "--out", "best.html"})["file"] == "best.html");
  CHECK(fs::exists(place / "best.html"));
  CHECK(keys_of(place.run_json({"inspect", "run"})) == Keys{"file", "metadata", "tensors", "verified"});
}

TEST_CASE("what is printed as JSON has the documented keys: ONNX files") {
  const Workplace place;
  place.run_json({"train", "small.yaml", "--out", "run"});
  const json exported = place.run_json({"export", "run", "--onnx", "code.onnx", "--part", "encoder"});
  CHECK(keys_of(exported) == Keys{"bytes", "file", "inputs", "nodes", "outputs"});
  CHECK(exported["outputs"] == json{"code f32[batch, 2]"});
  CHECK(fs::file_size(place / "code.onnx") == exported["bytes"]);
  CHECK(place.run({"export", "run"}).exit_code == 2);
  CHECK(place.run({"export", "run", "--onnx", "x.onnx", "--opset", "12"}).exit_code == 2);

  const json imported = place.run_json({"import", "code.onnx", "--out", "again"});
  CHECK(keys_of(imported) == Keys{"inputs", "model", "nodes", "outputs", "parameters", "weights"});
  CHECK(imported["outputs"] == json{"code f32[batch, 2]"});
  CHECK(imported["parameters"] == 4);
  CHECK(place.run({"check", "again/model.yaml"}).exit_code == 0);
  CHECK(place.run({"inspect", "again/weights.safetensors"}).exit_code == 0);
  CHECK(place.run({"import", "code.onnx", "--out", "again"}).exit_code == 2);  // never over another
  CHECK(place.run({"import", "code.onnx"}).exit_code == 2);
  CHECK(place.run({"import", "code.onnx", "--out", "b", "--shape", "x"}).exit_code == 2);
  CHECK(place.run({"import", "code.onnx", "--out", "b", "--value", "x=1,b"}).exit_code == 2);
  CHECK(place.run({"import", "small.yaml", "--out", "b"}).exit_code == 4);
}

TEST_CASE("what is printed as JSON has the documented keys: models, plans and benchmarks") {
  const Workplace place;
  const json plan = place.run_json({"plan", "small.yaml"});
  CHECK(keys_of(plan) == Keys{"compile_ms", "flop_per_step", "max_parallelism", "parameters",
                              "scratch_bytes_per_worker", "tasks", "workspace_bytes"});
  CHECK(plan["parameters"] == 784 * 32 + 32 + 32 * 2 + 2 + 2 * 32 + 32 + 32 * 784 + 784);

  const json predicted = place.run_json({"plan", "small.yaml", "--cores", "1,2,8"})["predictions"];
  REQUIRE(predicted.size() == 3);
  CHECK(keys_of(predicted[0]) == Keys{"bound", "cores", "memory_us", "slices", "speed_up", "step_us"});
  CHECK(predicted[0]["speed_up"] == 1);
  CHECK(predicted[2]["cores"] == 8);

  const json bench = place.run_json({"bench", "small.yaml", "--seconds", "1"});
  CHECK(keys_of(bench) == Keys{"allocations_per_step", "batch", "floor_us", "gflops", "images_per_s", "isa",
                               "library_allocations_per_step", "memory_gbytes_per_s", "peak_gflops",
                               "precision", "predicted_us", "provider", "ratio", "runs", "step_us",
                               "steps_per_s", "threads"});
  CHECK(keys_of(bench["step_us"]) == Keys{"best", "median", "p95"});
  CHECK(keys_of(bench["floor_us"]) == Keys{"convolution", "matmul", "total", "update"});
  CHECK(keys_of(bench["peak_gflops"]) == Keys{"after", "before"});
  CHECK(keys_of(bench["memory_gbytes_per_s"]) == Keys{"one_core", "together"});

  const json check = place.run_json({"check", "small.yaml", "--grad"});
  CHECK(keys_of(check) == Keys{"errors", "gradients", "notices", "ok"});
  CHECK(check["gradients"].size() == 8);
  CHECK(keys_of(check["gradients"][0]) == Keys{"max_relative_error", "ok", "variable"});

  CHECK(keys_of(place.run_json({"graph", "small.yaml"})) == Keys{"nodes", "outputs", "text"});
  CHECK(keys_of(place.run_json({"graph", "small.yaml", "--dot", "--backward"})) ==
        Keys{"dot", "nodes", "outputs"});
  CHECK(keys_of(place.run_json({"config", "small.yaml"})) == Keys{"resolved"});
  CHECK(keys_of(place.run_json({"data"})) == Keys{"datasets"});
}

TEST_CASE("a benchmark tells where the time goes, and what each optimisation brings") {
  const Workplace place;
  const json bench = place.run_json({"bench", "small.yaml", "--seconds", "1", "--ops", "--trace",
                                     "trace.json", "--without", "slicing", "--without", "fusion"});
  CHECK(bench["trace"] == "trace.json");
  CHECK(bench["idle_us"] >= 0);
  REQUIRE(!bench["ops"].empty());
  CHECK(keys_of(bench["ops"][0]) == Keys{"gflops", "kind", "node", "share", "units", "us"});

  std::ifstream file(place / "trace.json");
  const json trace = json::parse(file);
  std::map<int, std::vector<std::pair<double, double>>> lanes;
  std::map<std::pair<int, int>, std::pair<double, double>> tasks;  // by step and task: begin and end
  for (const json& event : trace["traceEvents"]) {
    if (event["ph"] == "M") continue;
    REQUIRE(event["ph"] == "X");
    const double begin = event["ts"];
    const double end = begin + event["dur"].get<double>();
    if (event["cat"] != "task") continue;
    lanes[event["tid"]].emplace_back(begin, end);
    tasks[{event["args"]["step"], event["args"]["task"]}] = {begin, end};
  }
  constexpr double rounding = 1e-6;  // of sums of decimal microseconds
  for (auto& [worker, bars] : lanes) {
    std::sort(bars.begin(), bars.end());
    for (std::size_t i = 1; i < bars.size(); ++i) CHECK(bars[i].first >= bars[i - 1].second - rounding);
  }
  std::size_t waits = 0;
  for (const json& event : trace["traceEvents"]) {
    if (event["ph"] == "M" || event["cat"] != "task") continue;
    for (const int before : event["args"]["waits_for"]) {
      ++waits;
      const auto end = tasks.at({event["args"]["step"], before}).second;
      CHECK(event["ts"].get<double>() >= end - rounding);
    }
  }
  CHECK(waits > 0);
}

TEST_CASE("an ablation has a row for the whole step and for each optimisation") {
  const Workplace place;
  const json bench = place.run_json({"bench", "small.yaml", "--seconds", "1", "--ablate"});
  REQUIRE(bench["ablation"].size() > 5);
  CHECK(keys_of(bench["ablation"][0]) ==
        Keys{"best_us", "median_us", "ratio", "same_bits", "without", "workspace_bytes"});
  CHECK(bench["ablation"][0]["without"] == "");
  const ProcessResult unknown = place.run({"bench", "small.yaml", "--without", "tile"});
  CHECK(unknown.exit_code == 2);
  CHECK(contains(unknown.err, "there is no optimisation 'tile'. Did you mean 'tiles'?"));
}
