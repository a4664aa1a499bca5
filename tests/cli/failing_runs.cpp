// Runs that cannot begin, or end before their time: exit codes and messages.
#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/run_graphrun.hpp"
#include "tests/cli/workplace.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_model.hpp"

using namespace graphrun::testing;
namespace fs = std::filesystem;
using nlohmann::json;

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

TEST_CASE("a file of weights that a model names is missed at the model's line") {
  const Workplace place;
  place.write("begun.yaml",
              "graphrun: 1\nname: begun\ninputs:\n  x: {shape: [batch, 784]}\nnodes:\n"
              "  code: {op: dense, in: x, units: 2}\noutputs: {code: code}\nweights: gone.safetensors\n");
  place.write("broken.safetensors", "no tensors");
  const std::vector<std::vector<std::string>> commands = {{"check", "begun.yaml"},
                                                          {"encode", "begun.yaml", "--images", "x.npy"}};
  for (const std::vector<std::string>& words : commands) {
    const ProcessResult gone = place.run(words);
    INFO(gone.err);
    CHECK(gone.exit_code != 0);
    CHECK(contains(gone.err, "begun.yaml:8:10: error: "));
    CHECK(contains(gone.err, "gone.safetensors: cannot open"));
    CHECK(contains(gone.err, "    weights: gone.safetensors\n             ^\n"));
  }
  place.write("listed.yaml",
              "graphrun: 1\nname: begun\ninputs:\n  x: {shape: [batch, 784]}\nnodes:\n"
              "  code: {op: dense, in: x, units: 2}\noutputs: {code: code}\nweights:\n"
              "  - {file: broken.safetensors, from: graphrun}\n");
  const ProcessResult broken = place.run({"export", "listed.yaml", "--npz", "w.npz"});
  INFO(broken.err);
  CHECK(broken.exit_code == 4);
  CHECK(contains(broken.err, "listed.yaml:9:5: error: "));
  CHECK(contains(broken.err, "broken.safetensors: "));
  // On the command line there is no line to point to.
  const ProcessResult given = place.run({"eval", "small.yaml", "--weights", "gone.safetensors"});
  CHECK(contains(given.err, "gone.safetensors: error: cannot open"));
}

TEST_CASE("a seed for a model without `train:` replaces none") {
  const Workplace place;
  place.write("fixed.yaml",
              "graphrun: 1\nname: fixed\ninputs:\n  x: {shape: [batch, 784]}\nnodes:\n"
              "  twice: x * 2\noutputs: {code: twice}\n");
  CHECK(place.run({"check", "fixed.yaml", "--seed", "3"}).exit_code == 0);
  const ProcessResult set = place.run({"check", "fixed.yaml", "--set", "train.seed=3"});
  CHECK(set.exit_code == 3);
  const ProcessResult train = place.run({"train", "fixed.yaml", "--seed", "3"});
  INFO(train.err);
  CHECK(contains(train.err, "names no data"));
  const std::vector<std::string> resolved = {"train", "small.yaml", "--seed",      "9",
                                             "--out", "run",        "--max-steps", "1"};
  REQUIRE(place.run(resolved).exit_code == 0);
  std::stringstream text;
  text << std::ifstream(place / "run/resolved.yaml").rdbuf();
  CHECK(contains(text.str(), "seed: 9"));
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
