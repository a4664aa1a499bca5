// Whole runs of the program: results, interruptions, failures. The model is small, the images are the
// repository's.
#include <sys/mount.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "files/npy.hpp"
#include "tests/cli/run_graphrun.hpp"
#include "tests/cli/workplace.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/phased_model.hpp"
#include "tests/support/small_model.hpp"

using namespace graphrun::testing;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

std::vector<std::string> keys_of(const json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

using Keys = std::vector<std::string>;

std::vector<fs::path> checkpoints_in(const fs::path& run) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(run / "checkpoints")) files.push_back(entry.path());
  return files;
}

}  // namespace

TEST_CASE("a run leaves a directory with everything in it, and never overwrites one") {
  const Workplace place;
  const ProcessResult result = place.run({"small.yaml"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(contains(result.out, "graphrun reconstruct runs/small-1"));
  CHECK(contains(result.out, "graphrun encode runs/small-1"));
  CHECK(contains(result.out, "graphrun generate runs/small-1"));
  CHECK(contains(result.err, "epoch 1/2"));
  CHECK(contains(result.err, "| test loss"));
  for (const std::string name : {"resolved.yaml", "metrics.csv", "metrics.jsonl", "checkpoints", "images"})
    CHECK(fs::exists(place / ("runs/small-1/" + name)));
  CHECK(fs::exists(place / "runs/small-1/images/reconstruction-000032.png"));
  REQUIRE(place.run({"train", "small.yaml"}).exit_code == 0);
  CHECK(fs::exists(place / "runs/small-2/resolved.yaml"));
  const ProcessResult again = place.run({"small.yaml", "--out", "runs/small-1"});
  CHECK(again.exit_code == 2);
  CHECK(contains(again.err, "runs/small-1 is there already"));
}

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
  CHECK(keys_of(predicted[0]) == Keys{"bound", "cores", "slices", "speed_up", "step_us"});
  CHECK(predicted[0]["speed_up"] == 1);
  CHECK(predicted[2]["cores"] == 8);

  const json bench = place.run_json({"bench", "small.yaml", "--seconds", "1"});
  CHECK(keys_of(bench) == Keys{"allocations_per_step", "batch", "floor_us", "gflops", "images_per_s", "isa",
                               "library_allocations_per_step", "peak_gflops", "precision", "predicted_us",
                               "provider", "ratio", "runs", "step_us", "steps_per_s", "threads"});
  CHECK(keys_of(bench["step_us"]) == Keys{"best", "median", "p95"});
  CHECK(keys_of(bench["floor_us"]) == Keys{"convolution", "matmul", "total", "update"});
  CHECK(keys_of(bench["peak_gflops"]) == Keys{"after", "before"});

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

TEST_CASE("weights go to PyTorch's names and axes, and come back to the same bits") {
  const Workplace place;
  place.run_json({"train", "small.yaml", "--out", "run"});
  CHECK(place.run_json({"export", "run", "--torch", "theirs.safetensors"})["tensors"] == 8);
  place.run_json({"encode", "run", "--out", "a.npy"});
  const ProcessResult encoded =
      place.run({"encode", "small.yaml", "--weights", "theirs.safetensors", "--out", "b.npy"});
  CHECK(encoded.exit_code == 0);
  CHECK(contains(encoded.err, "code.weight f32[2, 32] -> code.w [32, 2], axes 1, 0"));
  CHECK(graphrun::files::read_npy(place / "a.npy").bytes == graphrun::files::read_npy(place / "b.npy").bytes);

  // What a file cannot hold is shown with its line, of the model that the run carries.
  place.run_json({"train", "small.yaml", "--out", "drawn", "--max-steps", "1"});
  const ProcessResult drawn = place.run({"export", "drawn", "--onnx", "x.onnx", "--part", "noisy.noise"});
  CHECK(drawn.exit_code == 3);
  CHECK(contains(drawn.err, "draws random numbers"));
  CHECK(contains(drawn.err, "gaussian_noise, in: x"));
  CHECK(!fs::exists(place / "x.onnx"));
  CHECK(place.run_json({"export", "run", "--npz", "w.npz"})["tensors"] == 8);

  const ProcessResult dry =
      place.run({"export", "small.yaml", "--weights", "theirs.safetensors", "--from", "torch", "--dry-run"});
  CHECK(dry.exit_code == 0);
  CHECK(contains(dry.err, "code.bias"));
  CHECK(place.run({"encode", "small.yaml", "--weights", "theirs.safetensors", "--from", "tensorflow"})
            .exit_code == 2);
  CHECK(place.run({"encode", "small.yaml", "--weights", "theirs.safetensors", "--map", "x=y"}).exit_code ==
        4);

  // Learning begins with them: one tiny step leaves them nearly as they were.
  place.run_json({"train", "small.yaml", "--weights", "theirs.safetensors", "--out", "more", "--max-steps",
                  "1", "--set", "train.optimizer.lr=1.0e-30"});
  place.run_json({"encode", "more", "--out", "c.npy"});
  CHECK(graphrun::files::read_npy(place / "a.npy").bytes == graphrun::files::read_npy(place / "c.npy").bytes);
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

TEST_CASE("a run has the provider that was asked for, says so, and trains to the same bits at any threads") {
  const Workplace place;
  const json tiles = place.run_json({"train", "small.yaml", "--out", "t", "--provider", "tiles"});
  const json one =
      place.run_json({"--provider", "onednn", "train", "small.yaml", "--out", "a", "--threads", "1"});
  const json two =
      place.run_json({"train", "small.yaml", "--out", "b", "--provider", "onednn", "--threads", "2"});
  CHECK(tiles["provider"] == "tiles");
  CHECK(one["provider"] == "onednn");
  CHECK(one["digest"] == two["digest"]);
  CHECK(std::abs(one["test"]["loss"].get<double>() - tiles["test"]["loss"].get<double>()) < 1e-3);
  const ProcessResult resumed =
      place.run({"train", "--resume", "a", "--set", "train.epochs=2", "--provider", "tiles"});
  CHECK(resumed.exit_code == 0);
  CHECK(contains(resumed.err, ", provider onednn, this is"));
  const ProcessResult plan = place.run({"plan", "small.yaml", "--groups", "--provider", "onednn"});
  CHECK(contains(plan.out, " by oneDNN "));
  const ProcessResult cores =
      place.run({"plan", "small.yaml", "--cores", "1,4", "--bandwidth", "50", "--peak", "60"});
  CHECK(contains(cores.out, "speed-up"));
  CHECK(contains(cores.out, "the memory needs "));
  const ProcessResult none = place.run({"plan", "small.yaml", "--cores", "1,two"});
  CHECK(none.exit_code == 2);
  CHECK(contains(none.err, "--cores 1,two: 'two' is no number of cores; write such as 1,2,4,8"));
  CHECK(contains(place.run({"plan", "small.yaml", "--cores", "0"}).err, "'0' is no number of cores"));
  CHECK(contains(place.run({"plan", "small.yaml", "--bandwidth", "50"}).err,
                 "--bandwidth is for a prediction; say for which cores with --cores 1,2,4"));
  CHECK(contains(place.run({"plan", "small.yaml", "--cores", "2", "--bandwidth", "0"}).err,
                 "--bandwidth 0 is nothing to compute with; write such as 100"));
  const ProcessResult unknown = place.run({"plan", "small.yaml", "--provider", "mkl"});
  CHECK(unknown.exit_code == 2);
  CHECK(contains(unknown.err, "there is no provider 'mkl'; there are auto, onednn and tiles"));
}

TEST_CASE(
    "a run has the precision that was asked for, keeps it, and trains to the same bits at any threads") {
  const Workplace place;
  const json exact = place.run_json({"train", "small.yaml", "--out", "f"});
  const json one =
      place.run_json({"--precision", "bf16-emulated", "train", "small.yaml", "--out", "a", "--threads", "1"});
  const json two = place.run_json(
      {"train", "small.yaml", "--out", "b", "--set", "train.precision=bf16-emulated", "--threads", "2"});
  CHECK(exact["precision"] == "f32");
  CHECK(one["precision"] == "bf16-emulated");
  CHECK(one["digest"] == two["digest"]);
  CHECK(one["digest"] != exact["digest"]);
  CHECK(std::abs(one["test"]["loss"].get<double>() / exact["test"]["loss"].get<double>() - 1) < 0.02);
  std::ifstream resolved(place / "a/resolved.yaml");
  const std::string record(std::istreambuf_iterator<char>(resolved), {});
  CHECK(contains(record, "precision: bf16-emulated"));
  const ProcessResult other =
      place.run({"train", "--resume", "a", "--set", "train.epochs=3", "--precision", "f32"});
  CHECK(other.exit_code == 2);
  CHECK(
      contains(other.err, "was learning with the precision bf16-emulated and goes on with it, not with f32"));
  const json resumed = place.run_json({"train", "--resume", "a", "--set", "train.epochs=3"});
  CHECK(resumed["precision"] == "bf16-emulated");
  CHECK(place.run_json({"eval", "b"})["loss"] != place.run_json({"eval", "b", "--precision", "f32"})["loss"]);
}

TEST_CASE(
    "a CPU without instructions for bf16 refuses it before anything is made, and rounds as one that has") {
  const Workplace place;
  const std::vector<std::string> words = {"train", "small.yaml", "--max-steps", "3", "--precision"};
  const auto with = [&](const std::string& precision, const std::string& out) {
    auto all = words;
    all.insert(all.end(), {precision, "--out", out});
    return all;
  };
  const json here = place.run_json(with("bf16-emulated", "here"));
  setenv("GRAPHRUN_MAX_ISA", "avx2", 1);
  const ProcessResult refused = place.run(with("bf16", "refused"));
  const json there = place.run_json(with("bf16-emulated", "there"));
  unsetenv("GRAPHRUN_MAX_ISA");
  CHECK(refused.exit_code == 2);
  CHECK(contains(refused.err, "this CPU has no instructions for bf16 (AVX512_BF16 or AMX)"));
  CHECK_FALSE(fs::exists(place / "refused"));
  CHECK(std::abs(there["test"]["loss"].get<double>() - here["test"]["loss"].get<double>()) < 1e-4);
}

TEST_CASE("a check lists what products read at a precision") {
  const Workplace place;
  const ProcessResult check = place.run({"check", "small.yaml", "--precision", "bf16"});
  CHECK(check.exit_code == 0);
  CHECK(contains(check.out, "  bf16\n"));
  CHECK(contains(check.out, "all else is f32\n"));
  CHECK(place.run({"check", "small.yaml"}).out == "small.yaml: ok\n");
  const json products = place.run_json({"check", "small.yaml", "--precision", "bf16"})["products"];
  REQUIRE(products.size() > 1);
  std::map<std::string, int> count;
  for (const json& product : products) ++count[product["reads"].get<std::string>()];
  CHECK(count["bf16"] == 2);
  CHECK(count["f32"] == 2);  // from the code of two units, and to it
  const ProcessResult unknown = place.run({"check", "small.yaml", "--precision", "half"});
  CHECK(unknown.exit_code == 2);
  CHECK(contains(unknown.err, "there is no precision 'half'; there are f32, bf16 and bf16-emulated"));
}

TEST_CASE("oneDNN computes in f32 although its environment allows less") {
  const Workplace place;
  const std::vector<std::string> words = {"train", "small.yaml", "--provider", "onednn", "--max-steps", "3"};
  auto strict = words;
  strict.insert(strict.end(), {"--out", "strict"});
  const json expected = place.run_json(strict);
  auto loose = words;
  loose.insert(loose.end(), {"--out", "loose"});
  setenv("DNNL_DEFAULT_FPMATH_MODE", "BF16", 1);
  const json made = place.run_json(loose);
  unsetenv("DNNL_DEFAULT_FPMATH_MODE");
  CHECK(made["digest"] == expected["digest"]);
}

TEST_CASE("a code decodes to the image that its original is reconstructed to") {
  const Workplace place;
  place.run_json({"train", "small.yaml", "--out", "run"});
  place.run_json({"encode", "run", "--out", "codes.npy", "--first", "3"});
  CHECK(fs::file_size(place / "codes.labels.npy") == 128 + 3);
  place.run_json({"decode", "run", "codes.npy", "--out", "images.csv"});
  const ProcessResult twice = place.run({"decode", "run", "codes.npy", "--input", "code=1"});
  CHECK(twice.exit_code == 2);
  CHECK(contains(twice.err, "--input code=1: 'code' is the code, which this command gives the decoder"));
  std::ifstream file(place / "images.csv");
  std::string line;
  int lines = 0;
  while (std::getline(file, line)) ++lines;
  CHECK(lines == 4);
}

TEST_CASE("codes that are indices decode, and other numbers are refused") {
  const Workplace place;
  std::string model = small_model("epochs: 1, seed: 1");
  const std::string from = "  dec: {op: dense, in: code,";
  model.replace(model.find(from), from.size(),
                "  book: {op: param, shape: [4, 2], init: normal}\n"
                "  index: argmin(pairwise_distance(code, book))\n"
                "  z: straight_through(gather(book, index), code)\n"
                "  dec: {op: dense, in: z,");
  const std::string output = "{code: code, image";
  model.replace(model.find(output), output.size(), "{code: index, image");
  place.write("index.yaml", model);
  place.run_json({"train", "index.yaml", "--out", "run"});
  place.run_json({"encode", "run", "--out", "codes.npy", "--first", "3"});
  CHECK(place.run_json({"decode", "run", "codes.npy", "--out", "images.npy"})["count"] == 3);
  place.write("codes.csv", "index_0\n1\n0.5\n");
  const ProcessResult wrong = place.run({"decode", "run", "codes.csv", "--out", "images.npy"});
  CHECK(wrong.exit_code == 4);
  CHECK(wrong.err.find("codes.csv: the codes of the model are whole numbers, and 0.5 is none") !=
        std::string::npos);
}

TEST_CASE("the resolved model of a run trains to the same weights") {
  const Workplace place;
  const json first = place.run_json({"train", "small.yaml", "--out", "a", "--set", "units=3", "--seed", "5"});
  const json second = place.run_json({"train", "a/resolved.yaml", "--out", "b", "--threads", "1"});
  CHECK(first["digest"] == second["digest"]);
  const json other = place.run_json({"train", "small.yaml", "--out", "c", "--set", "units=3"});
  CHECK(first["digest"] != other["digest"]);
}

TEST_CASE("a run may begin with the weights of another") {
  const Workplace place;
  const json first = place.run_json({"train", "small.yaml", "--out", "a"});
  const json second =
      place.run_json({"train", "small.yaml", "--out", "b", "--weights", "a", "--set", "train.epochs=1"});
  CHECK(second["steps"] == 16);
  CHECK(second["train"]["loss"].get<double>() < first["train"]["loss"].get<double>());
  // What does not fit begins anew, and is named.
  const ProcessResult other = place.run({"small.yaml", "--out", "c", "--weights", "a", "--set", "units=3"});
  CHECK(other.exit_code == 0);
  CHECK(contains(other.err, "5 of 8 parameters are taken from"));
  CHECK(contains(other.err, "of another shape, so they begin anew: "));
  CHECK(contains(other.err, "code.w is f32[32, 2] in the file and f32[32, 3] in the model"));
  std::string renamed = small_model();
  for (const std::string name : {"enc", "code", "dec", "recon"})
    for (std::size_t at = renamed.find(name); at != std::string::npos; at = renamed.find(name, at + 3))
      renamed.replace(at, 1, "q");
  place.write("renamed.yaml", renamed);
  const ProcessResult none = place.run({"renamed.yaml", "--out", "d", "--weights", "a"});
  CHECK(none.exit_code == 4);
  CHECK(contains(none.err, "it has none of the model's parameters (qnc.w, qnc.b, "));
  CHECK(!fs::exists(place / "d"));
}

TEST_CASE("phases are reported by name, in figures, files and JSON") {
  const Workplace place;
  place.write(
      "phased.yaml",
      phased_model("  phases:\n"
                   "    - {name: layers, greedy: {encoder: [enc, code], decoder: [dec, recon]}, epochs: 1}\n"
                   "    - name: tuned\n"
                   "      loss: [class]\n"
                   "      subset: {sample: 100, balanced: true}\n"
                   "      epochs: 3\n"
                   "      draws: 2\n"
                   "    - {name: scratch, same_as: tuned, start: init}\n",
                   "  near: {probe: knn, in: [code, y], k: 3}\n"));
  const ProcessResult result = place.run({"phased.yaml", "--out", "run"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(contains(result.err, "layers, layer 1 of 3, epoch 1/1"));
  CHECK(contains(result.err, "tuned, draw 2 of 2, epoch 3/3"));
  CHECK(contains(result.out, "tuned, 2 draws: loss "));
  CHECK(contains(result.out, "scratch - tuned, 2 pairs: "));
  CHECK(contains(result.out, "95 % confidence interval"));
  std::ifstream file(place / "run/metrics.csv");
  std::string header;
  std::getline(file, header);
  CHECK(header.starts_with("step,epoch,seconds,images_per_second,phase,draw,layer,train.loss,"));
  CHECK(contains(header, ",test.accuracy,test.near"));
  const std::string rows{std::istreambuf_iterator<char>(file), {}};
  CHECK(std::count(rows.begin(), rows.end(), '\n') == 3 + 2 * 2 * 3);
  CHECK(contains(rows, ",layers,1,3,"));
  CHECK(contains(rows, ",scratch,2,,"));

  const json run = place.run_json({"train", "phased.yaml", "--out", "json"});
  CHECK(keys_of(run) == Keys{"checkpoint", "differences", "digest", "epochs", "phases", "precision",
                             "provider", "report", "run_dir", "seconds", "steps", "test", "train"});
  REQUIRE(run["phases"].size() == 3);
  CHECK(keys_of(run["phases"][0]) == Keys{"confidence95", "draws", "name", "test"});
  CHECK(run["phases"][0]["confidence95"]["loss"].is_null());
  CHECK(run["phases"][1]["draws"] == 2);
  REQUIRE(run["differences"].size() == 1);
  CHECK(keys_of(run["differences"][0]) == Keys{"confidence95", "minus", "of", "pairs", "test"});
  const double tuned = run["phases"][1]["test"]["accuracy"];
  const double scratch = run["phases"][2]["test"]["accuracy"];
  CHECK(run["differences"][0]["test"]["accuracy"].get<double>() == Approx(scratch - tuned));
  const json eval = place.run_json({"eval", "json"});
  CHECK(eval["near"] == run["test"]["near"]);
  CHECK(eval["accuracy"] == run["test"]["accuracy"]);

  const json plan = place.run_json({"plan", "phased.yaml"});
  REQUIRE(plan["steps"].size() == 5);
  CHECK(plan["steps"][1]["name"] == "layers, layer 2 of 3");
  const json check = place.run_json({"check", "phased.yaml", "--grad"});
  CHECK(check["gradients"][0]["phase"] == "layers, layer 1 of 3");
  CHECK(check["gradients"][0]["ok"] == true);
}

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

TEST_CASE("weights that are not finite end a run with 5 and are never saved") {
  const Workplace place;
  const ProcessResult result =
      place.run({"train", "small.yaml", "--out", "run", "--set", "train.optimizer.lr=1.0e+38", "--json"});
  CHECK(result.exit_code == 5);
  CHECK(result.out.empty());
  CHECK(contains(result.err, "node '"));
  CHECK(contains(result.err, "before its first checkpoint: run holds no weights"));
  CHECK(checkpoints_in(place / "run").empty());

  REQUIRE(place.run({"train", "small.yaml", "--out", "good", "--set", "train.epochs=1"}).exit_code == 0);
  const ProcessResult later = place.run(
      {"train", "--resume", "good", "--set", "train.epochs=3", "--set", "train.optimizer.lr=1.0e+38"});
  CHECK(later.exit_code == 5);
  CHECK(contains(later.err, "its weights after step 16 are in good/checkpoints/step-00000016.safetensors"));
}

TEST_CASE("a model that is wrong exits with 3 and every mistake at its place") {
  const Workplace place;
  place.write("wrong.yaml",
              "graphrun: 1\nname: wrong\ninputs:\n  x: {shape: [batch, 784]}\nnodes:\n"
              "  a: {op: dens, in: x, units: 3}\n  b: {op: relu, in: y}\n");
  const ProcessResult result = place.run({"wrong.yaml"});
  CHECK(result.exit_code == 3);
  CHECK(result.out.empty());
  CHECK(contains(result.err, "wrong.yaml:6:"));
  CHECK(contains(result.err, "wrong.yaml:7:"));
  const ProcessResult check = place.run({"check", "wrong.yaml", "--json"});
  CHECK(check.exit_code == 3);
  const json object = json::parse(check.out);
  CHECK(object["ok"] == false);
  REQUIRE(object["errors"].size() == 2);
  CHECK(keys_of(object["errors"][0]) == Keys{"column", "file", "line", "message"});
  CHECK(object["errors"][0]["line"] == 6);
  const ProcessResult size = place.run({"small.yaml", "--set", "data.train.images=nothing.gz"});
  CHECK(size.exit_code == 4);
  CHECK(contains(size.err, "nothing.gz"));
  CHECK(place.run({"check", "absent.yaml"}).exit_code == 4);
}

TEST_CASE("files and weights that do not fit are told by name") {
  const Workplace place;
  CHECK(place.run({"eval", "nowhere"}).exit_code == 4);
  CHECK(place.run({"inspect", "small.yaml"}).exit_code == 4);
  const ProcessResult weights = place.run({"eval", "small.yaml"});
  CHECK(weights.exit_code == 2);
  CHECK(contains(weights.err, "holds no weights"));
  place.run_json({"train", "small.yaml", "--out", "run"});
  CHECK(place.run({"encode", "run", "--out", "codes.txt"}).exit_code == 2);
  CHECK(place.run({"eval", "run", "--split", "tset"}).exit_code == 2);
  place.write("codes.csv", "1,2,3\n");
  const ProcessResult codes = place.run({"decode", "run", "codes.csv"});
  CHECK(codes.exit_code == 4);
  CHECK(contains(codes.err, "3 values a row, the code of the model has 2"));
  CHECK(place.run({"eval", "run", "--input", "q=1"}).exit_code == 2);
}

TEST_CASE("a constant input must fit the type of its node") {
  const Workplace place;
  std::string text = graphrun::testing::small_model("epochs: 1");
  const std::string input = "  x: {shape: [batch, 784]}\n";
  text.replace(text.find(input), input.size(), input + "  y: {from: labels}\n");
  const std::string decoder = "  dec: {op: dense, in: code,";
  text.replace(text.find(decoder), decoder.size(),
               "  kind: {op: one_hot, in: y, depth: 10}\n"
               "  both: {op: concat, in: [code, kind], axis: 1}\n"
               "  dec: {op: dense, in: both,");
  place.write("labelled.yaml", text);
  place.run_json({"train", "labelled.yaml", "--out", "run"});
  CHECK(place.run({"eval", "run", "--input", "y=7"}).exit_code == 0);
  for (const std::string value : {"7.5", "1e20", "-1e20", "nan", "inf"}) {
    INFO(value);
    const ProcessResult result = place.run({"eval", "run", "--input", "y=" + value});
    CHECK(result.exit_code == 2);
    CHECK(contains(result.err, "--input y=" + value + ": it takes a whole number of at most 2147483647"));
  }
  const ProcessResult large = place.run({"eval", "run", "--input", "code=1e39"});
  CHECK(large.exit_code == 2);
  CHECK(contains(large.err, "--input code=1e39: it takes a number that f32 can hold"));
}

TEST_CASE("an output folder that cannot be made is an I/O error") {
  const Workplace place;
  const ProcessResult result = place.run({"small.yaml", "--out", "/proc/graphrun/run"});
  CHECK(result.exit_code == 4);
  CHECK(contains(result.err, "/proc/graphrun"));
}

TEST_CASE("a full disk ends a run with 4 and leaves the checkpoints before it whole") {
  const Workplace place("epochs: 50, seed: 1");
  fs::create_directory(place / "disk");
  const std::string disk = place / "disk";
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=2300k") != 0) {
    WARN("not allowed to mount a small disk; skipped");
    return;
  }
  // Room for the first checkpoints and pictures, not for three and a new one.
  const ProcessResult result = place.run({"small.yaml", "--out", "disk/run"});
  const ProcessResult eval = place.run({"eval", "disk/run"});
  umount(disk.c_str());
  INFO(result.err);
  CHECK(result.exit_code == 4);
  CHECK(contains(result.err, "No space left on device"));
  INFO(eval.err);
  CHECK(eval.exit_code == 0);
}
