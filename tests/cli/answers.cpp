// Whether figures are true and answers fit the question: stops, weights that are no numbers, data that do not
// suit the model.
#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>

#include "files/safetensors.hpp"
#include "tests/cli/run_graphrun.hpp"
#include "tests/cli/workplace.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_model.hpp"

using namespace graphrun::testing;
namespace files = graphrun::files;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

std::vector<std::map<std::string, std::string>> rows_of_csv(const fs::path& path) {
  std::ifstream file(path);
  const auto cells_of = [](const std::string& line) {
    std::vector<std::string> cells;
    std::stringstream stream(line + ",");
    for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
    return cells;
  };
  std::string line;
  std::getline(file, line);
  const std::vector<std::string> names = cells_of(line);
  std::vector<std::map<std::string, std::string>> rows;
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = cells_of(line);
    std::map<std::string, std::string> row;
    for (std::size_t i = 0; i < names.size(); ++i) row[names[i]] = cells.at(i);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<float> floats_in(const files::SafetensorsFile& file, const std::string& name) {
  return files::as_f32(file.find(name)->type, file.read(*file.find(name)));
}

/// A table model: three columns, and what follows its inputs.
std::string table_model(const std::string& rest, const std::string& data = "{train: {images: table.csv}}") {
  return "graphrun: 1\nname: table\ndata: " + data + "\ninputs: {x: {shape: [batch, 3]}}\n" + rest;
}

constexpr const char* table = "a,b,c\n0.1,0.2,0.9\n0.3,0.4,0.5\n0.6,0.1,0.2\n0.7,0.7,0.1\n";

}  // namespace

TEST_CASE("the row of an epoch has that epoch's figures, and the log says what a stop restored") {
  // The learning rate is so high that learning gets worse at some time.
  const Workplace place("epochs: 40, seed: 1, stop: {metric: loss, patience: 2}");
  const std::vector<std::string> words{
      "train", "small.yaml", "--out", "run", "--set", "train.optimizer.lr=0.05", "--json"};
  const ProcessResult result = place.run(words);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const std::vector<std::map<std::string, std::string>> rows = rows_of_csv(place / "run/metrics.csv");
  const json run = json::parse(result.out);
  const double restored = run["test"]["loss"];
  CHECK(contains(result.err, "stopped after epoch " + std::to_string(rows.size()) +
                                 ": loss has not improved for 2 measurements"));
  CHECK(contains(result.err, "the weights of epoch " + std::to_string(rows.size() - 2) +
                                 " are restored, where loss was"));
  CHECK(std::stod(rows.back().at("test.loss")) > restored);
  CHECK(std::stod(rows[rows.size() - 3].at("test.loss")) == restored);
  CHECK(place.run_json({"eval", "run"})["loss"] == restored);

  const ProcessResult more =
      place.run({"train", "--resume", "run", "--set", "train.stop.patience=9", "--json"});
  CHECK(more.exit_code == 0);
  CHECK(json::parse(more.out)["steps"] == run["steps"]);
  CHECK(contains(more.err, "nothing is learnt: after epoch"));
  CHECK(contains(more.err, "begin a new run from them with --weights run"));
}

TEST_CASE("a run that is continued and has nothing to do says so, and another does not") {
  const Workplace place;
  place.run_json({"train", "small.yaml", "--out", "run", "--set", "train.epochs=1"});
  const ProcessResult learns = place.run({"train", "--resume", "run", "--set", "train.epochs=2"});
  CHECK(learns.exit_code == 0);
  CHECK(!contains(learns.err, "nothing is learnt"));
  CHECK(contains(place.run({"train", "--resume", "run"}).err,
                 "nothing is learnt: all 32 steps of the run are done"));
  CHECK(contains(place.run({"train", "--resume", "run", "--set", "train.epochs=3", "--max-steps", "20"}).err,
                 "nothing is learnt: 32 steps are done, and --max-steps is 20"));
}

TEST_CASE("weights that are no numbers give no results") {
  const Workplace place("epochs: 1, seed: 1");
  const json run = place.run_json({"train", "small.yaml", "--out", "run"});
  const files::SafetensorsFile trained(place / run["checkpoint"].get<std::string>());
  std::vector<float> bad = floats_in(trained, "enc.b");
  bad[3] = std::numeric_limits<float>::quiet_NaN();
  std::vector<std::vector<std::byte>> kept;
  std::vector<files::TensorView> tensors;
  for (const files::StoredTensor& tensor : trained.tensors()) {
    kept.push_back(trained.read(tensor));
    tensors.push_back({tensor.name, tensor.type, tensor.shape, kept.back()});
    if (tensor.name == "enc.b") tensors.back().bytes = std::as_bytes(std::span(bad));
  }
  files::write_safetensors(place / "nan.safetensors", tensors, {});
  for (const std::string command : {"eval", "encode", "reconstruct", "generate"}) {
    const ProcessResult result = place.run({command, "small.yaml", "--weights", "nan.safetensors"});
    INFO(command << result.err);
    CHECK(result.exit_code == 5);
    CHECK(result.out.empty());
    CHECK(contains(result.err, "nan.safetensors: error: node 'enc.b': these weights hold nan"));
  }
}

TEST_CASE("weights of half precision are read, and no more of them than are needed") {
  const Workplace place("epochs: 1, seed: 1");
  const json run = place.run_json({"train", "small.yaml", "--out", "run"});
  const files::SafetensorsFile trained(place / run["checkpoint"].get<std::string>());
  // The upper half of an f32 is a bf16.
  std::vector<std::vector<std::uint16_t>> halves;
  std::vector<files::TensorView> tensors;
  for (const std::string name : {"enc.w", "enc.b", "code.w", "code.b"}) {
    std::vector<std::uint16_t>& half = halves.emplace_back();
    for (const float value : floats_in(trained, name))
      half.push_back(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16));
  }
  for (std::size_t i = 0; i < halves.size(); ++i) {
    const std::string name = std::vector<std::string>{"enc.w", "enc.b", "code.w", "code.b"}[i];
    tensors.push_back(
        {name, files::StoredType::bf16, trained.find(name)->shape, std::as_bytes(std::span(halves[i]))});
  }
  files::write_safetensors(place / "encoder.safetensors", tensors, {});
  const json codes =
      place.run_json({"encode", "small.yaml", "--weights", "encoder.safetensors", "--out", "codes.npy"});
  CHECK(codes["shape"] == "[200, 2]");
  const ProcessResult whole = place.run({"reconstruct", "small.yaml", "--weights", "encoder.safetensors"});
  CHECK(whole.exit_code == 4);
  CHECK(contains(whole.err, "it has no parameter 'dec.w' of the model"));
  CHECK(contains(place.run({"inspect", "encoder.safetensors"}).out, "bf16"));
}

TEST_CASE("labels beyond what a model has a place for are told before the first step") {
  const Workplace place;
  place.write("table.csv", "a,b,c,label\n1,2,3,1\n4,5,6,2\n7,8,9,3\n");
  place.write("labels.yaml",
              "graphrun: 1\nname: labels\ndata: {train: {images: table.csv}}\n"
              "inputs: {x: {shape: [batch, 3]}, y: {from: labels}}\n"
              "nodes:\n  logits: {op: dense, in: x, units: 3}\n"
              "loss: {c: {op: cross_entropy, in: [logits, y]}}\n"
              "train: {optimizer: {op: sgd, lr: 0.1}, batch: 3, epochs: 1}\n");
  const ProcessResult result = place.run({"train", "labels.yaml", "--out", "run"});
  CHECK(result.exit_code == 4);
  CHECK(contains(result.err, "labels.yaml:7:"));
  CHECK(contains(result.err, "label 3 (row 2), but depth 3: one_hot takes the labels 0 to 2"));
  CHECK(contains(result.err, "they begin at 1"));
  CHECK(!fs::exists(place / "run"));
}

TEST_CASE("values that are no probabilities under a binary cross entropy are told") {
  const Workplace place;
  const std::string rest =
      "nodes:\n  z: {op: dense, in: x, units: 3}\n  recon: sigmoid(z)\noutputs: {code: z, image: recon}\n"
      "train: {optimizer: {op: sgd, lr: 0.01}, batch: 4, epochs: 1}\n";
  place.write("p.yaml", table_model(rest + "loss: {l: {op: bce, in: [recon, x]}}\n"));
  place.write("z.yaml", table_model(rest + "loss: {l: {op: bce_with_logits, in: [z, x]}}\n"));
  place.write("m.yaml", table_model(rest + "loss: {l: {op: mse, in: [recon, x]}}\n"));
  const std::string note = "takes the values of 'x' for probabilities, but they go from 0.1 to 7";
  for (const std::string model : {"p.yaml", "z.yaml", "m.yaml"}) {
    place.write("table.csv", "a,b,c\n0.1,0.2,0.9\n0.3,7,0.5\n");
    CHECK(contains(place.run({model}).err, note) == (model != "m.yaml"));
    place.write("table.csv", table);
    CHECK(!contains(place.run({model}).err, "probabilities"));
  }
}

TEST_CASE("a gradient that is no number names the node whose slope is infinite") {
  const Workplace place;
  place.write("table.csv", table);
  place.write("norm.yaml",
              table_model("nodes:\n  one: {op: param, shape: [3], init: {constant: {value: 1}}}\n"
                          "  recon: x * one\n"
                          "loss:\n  r: sqrt(sum((recon - x) ** 2, axis=1))\n"
                          "train: {optimizer: {op: adam, lr: 0.01}, batch: 4, epochs: 1}\n"));
  const ProcessResult result = place.run({"norm.yaml"});
  CHECK(result.exit_code == 5);
  CHECK(contains(result.err, "the gradient of 'one' holds a NaN"));
  CHECK(contains(result.err, "(sqrt, norm.yaml:9:"));
  CHECK(contains(result.err, "add a small number to it"));
}

TEST_CASE("images are compared with what the loss compares them with") {
  const Workplace place;
  place.write("table.csv", table);
  place.write(
      "scaled.yaml",
      table_model("nodes:\n  t: 1 - 0.5 * x\n  one: {op: param, shape: [3], init: {constant: {value: 1}}}\n"
                  "  recon: t * one\noutputs: {code: recon, image: recon}\n"
                  "loss: {r: {op: mse, in: [recon, t]}}\n"
                  "train: {optimizer: {op: sgd, lr: 0.0}, batch: 4, epochs: 1}\n"));
  place.run_json({"train", "scaled.yaml", "--out", "run"});
  const json result = place.run_json({"reconstruct", "run", "--split", "train", "--errors", "errors.csv"});
  CHECK(result["mse"] == 0);
  for (const auto& row : rows_of_csv(place / "errors.csv")) CHECK(std::stod(row.at("mse")) == 0);
}

TEST_CASE("images are compared with what a normalisation makes of them, where the loss does so") {
  const Workplace place;
  place.write("table.csv", table);
  place.write("normal.yaml",
              table_model("nodes:\n  t: {op: batch_norm, in: x}\n"
                          "  one: {op: param, shape: [3], init: {constant: {value: 1}}}\n  recon: t * one\n"
                          "outputs: {code: recon, image: recon}\nloss: {r: {op: mse, in: [recon, t]}}\n"
                          "train: {optimizer: {op: sgd, lr: 0.0}, batch: 4, epochs: 3}\n"));
  place.run_json({"train", "normal.yaml", "--out", "run"});
  const json result = place.run_json({"reconstruct", "run", "--split", "train", "--errors", "errors.csv"});
  CHECK(result["mse"] == 0);
  for (const auto& row : rows_of_csv(place / "errors.csv")) CHECK(std::stod(row.at("mse")) == 0);
}

TEST_CASE("figures of a step that was not done are absent everywhere") {
  const Workplace place;
  place.write("table.csv", table);
  place.write(
      "two.yaml",
      table_model("nodes:\n  g: {op: dense, in: x, units: 3}\n  d: {op: dense, in: g, units: 1}\n"
                  "outputs: {code: g}\n"
                  "loss: {first: mean(g ** 2), second: mean(d ** 2)}\n"
                  "train:\n  optimizer: {op: sgd, lr: 0.01}\n  batch: 2\n  epochs: 1\n"
                  "  alternate: [{train: [d], loss: [second]}, {train: [g], loss: [first], every: 5}]\n"));
  const ProcessResult result = place.run({"train", "two.yaml", "--out", "run", "--json"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(!contains(result.err, "nan"));
  CHECK(!json::parse(result.out)["train"].contains("first"));
  CHECK(json::parse(result.out)["train"].contains("second"));
  CHECK(rows_of_csv(place / "run/metrics.csv").back().at("train.first").empty());
  std::ifstream lines(place / "run/metrics.jsonl");
  const std::string text{std::istreambuf_iterator<char>(lines), {}};
  CHECK(!contains(text, "train.first"));
}

TEST_CASE("a profile names nodes of the model file") {
  const Workplace place;
  const json bench = place.run_json({"bench", "small.yaml", "--seconds", "1", "--ops"});
  bool backward = false;
  for (const json& op : bench["ops"]) {
    const auto name = op["node"].get<std::string>();
    CHECK(!name.starts_with("grad/"));
    backward = backward || name.ends_with(" (backward)");
  }
  CHECK(backward);
}

TEST_CASE("a mistake of a model always has a place") {
  const Workplace place;
  place.write("bare.yaml",
              "graphrun: 1\nname: bare\ninputs: {x: {shape: [batch, 3]}}\n"
              "nodes:\n  y: {op: dense, in: x, units: 2}\noutputs: {code: y}\n");
  for (const std::string command : {"train", "plan", "bench"}) {
    const ProcessResult result = place.run({command, "bare.yaml"});
    INFO(command << result.err);
    CHECK(result.exit_code == 3);
    CHECK(contains(result.err, "bare.yaml:1:1: error: "));
  }
}
