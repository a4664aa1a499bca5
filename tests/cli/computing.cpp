// Who computes, and in which precision: providers and formats of products.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/cli/run_graphrun.hpp"
#include "tests/cli/workplace.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun::testing;
namespace fs = std::filesystem;
using nlohmann::json;

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
  const ProcessResult cores = place.run({"plan", "small.yaml", "--cores", "1,4", "--bandwidth", "50",
                                         "--peak", "60", "--core-bandwidth", "20"});
  CHECK(contains(cores.out, "speed-up"));
  CHECK(contains(cores.out,
                 "for cores of 60 GFLOP/s (--peak) and 20 GB/s (--core-bandwidth), and a memory of 50 GB/s\n"
                 "  (--bandwidth), which needs 0."));
  const ProcessResult none = place.run({"plan", "small.yaml", "--cores", "1,two"});
  CHECK(none.exit_code == 2);
  CHECK(contains(none.err, "--cores 1,two: 'two' is no number of cores; write such as 1,2,4,8"));
  CHECK(contains(place.run({"plan", "small.yaml", "--cores", "0"}).err, "'0' is no number of cores"));
  CHECK(contains(place.run({"plan", "small.yaml", "--bandwidth", "50"}).err,
                 "--bandwidth is for a prediction; say for which cores with --cores 1,2,4"));
  CHECK(contains(place.run({"plan", "small.yaml", "--cores", "2", "--bandwidth", "0"}).err,
                 "--bandwidth 0 is nothing to compute with; write such as 100"));
  CHECK(contains(place.run({"plan", "small.yaml", "--core-bandwidth", "9"}).err,
                 "--core-bandwidth is for a prediction; say for which cores with --cores 1,2,4"));
  const ProcessResult unknown = place.run({"plan", "small.yaml", "--provider", "mkl"});
  CHECK(unknown.exit_code == 2);
  CHECK(contains(unknown.err, "there is no provider 'mkl'; there are auto, onednn and tiles"));
}

namespace {

/// Of a traced step of the small model: the primitives that ran what has this name, "" for kernels of ours.
std::map<std::string, std::set<std::string>> traced(const std::string& provider) {
  const Workplace place;
  place.run_json({"bench", "small.yaml", "--seconds", "1", "--threads", "1", "--provider", provider,
                  "--trace", "trace.json"});
  std::ifstream file(place / "trace.json");
  const json trace = json::parse(file);
  std::map<std::string, std::set<std::string>> primitives;
  for (const json& event : trace["traceEvents"]) {
    if (event.value("cat", "") != "unit") continue;
    primitives[event["name"]].insert(event["args"].value("primitive", ""));
  }
  return primitives;
}

bool are_of_onednn(const std::set<std::string>& primitives) {
  return std::ranges::all_of(primitives, [](const std::string& name) { return name.starts_with("oneDNN "); });
}

}  // namespace

TEST_CASE("a trace shows a primitive of oneDNN for every product and every function that stands alone") {
  std::size_t products = 0;
  std::set<std::string> functions;
  for (const auto& [name, primitives] : traced("onednn")) {
    CAPTURE(name, primitives);
    const bool product = name.starts_with("product ");
    products += product ? 1U : 0U;
    if (product) CHECK(are_of_onednn(primitives));
    if (!product && are_of_onednn(primitives)) functions.insert(name);
  }
  CHECK(products == 8);  // four layers, forward and backward
  // Slopes of hidden layers. Those of the last one are a chain with the loss, and other functions ride on
  // products.
  CHECK(functions ==
        std::set<std::string>{"mul code.y (backward)", "mul dec.y (backward)", "mul enc.y (backward)"});
  for (const auto& [name, primitives] : traced("tiles")) {
    CAPTURE(name, primitives);
    if (!name.starts_with("product ")) CHECK_FALSE(are_of_onednn(primitives));
  }
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
