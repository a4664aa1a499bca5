// The bundled models and what the language says about small ones.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "graph/print.hpp"
#include "language/build.hpp"
#include "ops/op.hpp"
#include "ops/standard_blocks.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/folders.hpp"

using graphrun::Language;
using graphrun::ModelDefinition;
using graphrun::NodeId;

namespace {

Language language() {
  return {&graphrun::ops::registry(), graphrun::ops::standard_blocks()};
}

ModelDefinition parse(const std::string& text, const std::vector<std::string>& settings = {}) {
  return graphrun::parse_model("graphrun: 1\n" + text, "m.yaml", settings, language());
}

std::string type_of(const ModelDefinition& model, const std::string& node) {
  const auto id = model.graph.find(node);
  return id ? to_string(model.graph.node(*id).type) : "none";
}

std::vector<std::string> parameters(const ModelDefinition& model) {
  std::vector<std::string> names;
  for (const graphrun::Node& node : model.graph.nodes()) {
    if (node.op->traits.variable) names.push_back(node.name + " " + to_string(node.type.shape));
  }
  return names;
}

/// The message of the first mistake, or "fine".
std::string mistake(const std::string& text, const std::vector<std::string>& settings = {}) {
  try {
    parse(text, settings);
  } catch (const graphrun::ModelError& error) {
    return error.what();
  }
  return "fine";
}

const std::string x = "inputs: {x: {shape: [batch, 8]}}\n";

}  // namespace

TEST_CASE("every bundled model is read, and its resolved text gives the same graph") {
  int count = 0;
  for (const auto& file : std::filesystem::directory_iterator(graphrun::testing::in_source("/models"))) {
    if (file.path().extension() != ".yaml") continue;
    INFO(file.path().string());
    const ModelDefinition model = graphrun::load_model(file.path().string(), {}, language());
    CHECK_FALSE(model.loss.empty());
    CHECK(model.train.has_value());
    const ModelDefinition again = graphrun::parse_model(model.resolved, "resolved.yaml", {}, language());
    CHECK(to_text(again.graph) == to_text(model.graph));
    CHECK(again.resolved == model.resolved);
    ++count;
  }
  CHECK(count >= 4);
}

TEST_CASE("the order of nodes in the file does not matter") {
  const ModelDefinition model = parse(x + "nodes: {c: b + 1, b: relu(a), a: 2 * x}\noutputs: {code: c}\n");
  CHECK(type_of(model, "c") == "f32[batch, 8]");
  const std::vector<std::string> expected = {"x", "a", "b", "c"};
  std::vector<std::string> named;
  for (const graphrun::Node& node : model.graph.nodes()) {
    if (node.name.size() == 1) named.push_back(node.name);
  }
  CHECK(named == expected);
}

TEST_CASE("a chain of thousands of nodes needs no stack") {
  std::string text = x + "nodes:\n  n0: x\n";
  for (int i = 5000; i > 0; --i) text += "  n" + std::to_string(i) + ": n" + std::to_string(i - 1) + " + 1\n";
  CHECK(type_of(parse(text), "n5000") == "f32[batch, 8]");
}

TEST_CASE("repeat chains copies with item and index") {
  const std::string text = x +
                           "vars: {sizes: [6, 4]}\nnodes:\n"
                           "  enc: {op: dense, in: x, repeat: $sizes, units: $item}\n"
                           "  first: enc.0\n  same: {op: relu, in: x, repeat: []}\n"
                           "  twice: {op: relu, in: x, repeat: 2}\noutputs: {code: enc, a: first, b: same}\n";
  const ModelDefinition model = parse(text);
  CHECK(parameters(model) ==
        std::vector<std::string>{"enc.0.w [8, 6]", "enc.0.b [6]", "enc.1.w [6, 4]", "enc.1.b [4]"});
  CHECK(model.graph.node(*model.role("code")).name == "enc.1");
  CHECK(model.graph.node(*model.role("a")).name == "enc.0");
  CHECK(model.graph.node(*model.role("b")).name == "x");
  CHECK(parameters(parse(text, {"sizes=[5,4,3]"})).size() == 6);
  CHECK(type_of(model, "twice.1") == "f32[batch, 8]");
}

TEST_CASE("blocks call blocks, and parameters live under the written path or under params") {
  const std::string text = x +
                           "blocks:\n"
                           "  mlp:\n"
                           "    args: {hidden: required, units: required, act: relu}\n"
                           "    in: [x]\n"
                           "    nodes:\n"
                           "      h: {op: dense, in: x, repeat: $hidden, units: $item, act: $act}\n"
                           "      y: {op: dense, in: h, units: $units}\n"
                           "    out: [y, h]\n"
                           "nodes:\n"
                           "  a: {op: mlp, in: x, hidden: [5], units: 2, params: D}\n"
                           "  b: {op: mlp, in: 2 * x, hidden: [5], units: 2, params: D}\n"
                           "  c: {op: mlp, in: x, hidden: [], units: 3}\n"
                           "  d: a.h + b.h\n"
                           "  e: sum(c.y.w ** 2)\n";
  const ModelDefinition model = parse(text);
  CHECK(parameters(model) == std::vector<std::string>{"D.h.0.w [8, 5]", "D.h.0.b [5]", "D.y.w [5, 2]",
                                                      "D.y.b [2]", "c.y.w [8, 3]", "c.y.b [3]"});
  CHECK(type_of(model, "a") == "f32[batch, 2]");
  CHECK(type_of(model, "d") == "f32[batch, 5]");
  CHECK(type_of(model, "e") == "f32[]");
}

TEST_CASE("a tied layer uses the transposed weight and its own bias") {
  const ModelDefinition model =
      parse(x +
            "vars:\n  sizes: [6, 4]\n  back: $(reverse(sizes[:-1]))\nnodes:\n"
            "  enc: {op: dense, in: x, repeat: $sizes, units: $item}\n"
            "  dec: {op: dense, in: enc, repeat: $back, units: $item, tie: enc.$(len(back) - index)}\n"
            "  out: {op: dense, in: dec, units: 8, tie: enc.0}\n");
  CHECK(parameters(model) == std::vector<std::string>{"enc.0.w [8, 6]", "enc.0.b [6]", "enc.1.w [6, 4]",
                                                      "enc.1.b [4]", "dec.0.b [6]", "out.b [8]"});
  CHECK(type_of(model, "out.w") == "f32[6, 8]");
}

TEST_CASE("schedules become inputs that the host feeds") {
  const ModelDefinition model =
      parse(x +
            "nodes:\n"
            "  beta: {linear: {from: 0, to: 4, epochs: 10}}\n"
            "  noisy: {op: gaussian_noise, in: x, amount: {cosine: {from: 1, to: 0, steps: 100}}}\n"
            "  y: beta * noisy\n"
            "loss:\n"
            "  a: {op: mse, in: [y, x], weight: {step: {from: 1, factor: 0.5, epochs: 2}}}\n"
            "train: {optimizer: {op: sgd, lr: {warmup: {to: 0.1, steps: 10}}, momentum: 0.9}, steps: 5}\n");
  REQUIRE(model.scheduled.size() == 3);
  for (const graphrun::ScheduledInput& input : model.scheduled) {
    INFO(input.name);
    const auto id = model.graph.find(input.name);
    REQUIRE(id.has_value());
    CHECK(model.graph.node(*id).op->traits.input);
  }
  CHECK(to_string(model.scheduled[0].schedule) == "{linear: {from: 0, to: 4, epochs: 10}}");
  CHECK(to_string(model.train->optimizer.learning_rate) == "{warmup: {to: 0.1, steps: 10}}");
  CHECK(model.train->optimizer.settings.at("momentum") == 0.9);
  CHECK(model.train->steps == 5);
  CHECK_FALSE(model.train->epochs.has_value());
}

TEST_CASE("a term is a number a sample or one for all, and what a block says is its default") {
  const ModelDefinition model = parse(x +
                                      "loss:\n"
                                      "  a: {op: mse, in: [x, 0.5]}\n"
                                      "  b: {op: mse, in: [x, 0.5], reduce: sum, weight: 0.1}\n"
                                      "  c: sum(x, axis=1)\n"
                                      "  d: {of: abs(x), reduce: mean}\n"
                                      "  e: mean(x) / batch\n"
                                      "metrics: {p: {op: psnr, in: [x, 2 * x]}}\n");
  CHECK(model.loss.size() == 5);
  std::vector<graphrun::NodeId> scalars = {model.objective.value(), model.metrics.at(0).node};
  for (const graphrun::LossTerm& term : model.loss) scalars.insert(scalars.end(), {term.node, term.weight});
  for (const graphrun::NodeId scalar : scalars) CHECK(model.graph.node(scalar).type.shape.empty());
}

TEST_CASE("labels, data and the rest of the train section") {
  const ModelDefinition model = parse(
      x +
      "data: {train: {images: a.idx, labels: sub/b.idx}, test: {images: /c.idx}}\n"
      "nodes: {l: {op: dense, in: x, units: 3}}\n"
      "loss: {m: {op: mse, in: [l, 0]}}\n"
      "train: {optimizer: adamw, batch: 7, epochs: 3, seed: 9, partial: drop, train: [l], loss: [m]}\n");
  const std::filesystem::path here = std::filesystem::current_path();
  CHECK(model.data->train->labels == (here / "sub/b.idx").string());
  CHECK(model.data->test->images == "/c.idx");
  CHECK(model.train->optimizer.op == "adamw");
  CHECK(model.train->batch == 7);
  CHECK(model.train->seed == 9);
  CHECK_FALSE(model.train->keep_partial);
  CHECK(model.train->train == std::vector{*model.graph.find("l.w"), *model.graph.find("l.b")});
  CHECK(model.train->loss == std::vector<std::size_t>{0});
  CHECK(parse("inputs: {y: {from: labels}}\n").inputs.at(0).source == graphrun::InputSource::labels);
}

TEST_CASE("data files may say how they are to be read") {
  const ModelDefinition model = parse(x +
                                      "vars: {side: 28}\n"
                                      "data:\n"
                                      "  train: {images: a.csv, labels: {column: kind}}\n"
                                      "  test: {images: /b.csv, labels: {file: c.csv, column: 3}}\n"
                                      "  shape: [$side, 28, 1]\n"
                                      "  channels: 3\n"
                                      "  divide_by: 255\n"
                                      "  classes: [cat, 7]\n");
  const graphrun::DataRecipe& data = *model.data;
  CHECK(data.train->label_column == "kind");
  CHECK(data.train->labels.empty());
  CHECK(data.test->label_column == "3");
  CHECK(data.test->labels == (std::filesystem::current_path() / "c.csv").string());
  CHECK(data.shape == std::vector<std::int64_t>{28, 28, 1});
  CHECK(data.channels == 3);
  CHECK(data.divide_by == 255);
  CHECK(data.classes == std::vector<std::string>{"cat", "7"});
  const ModelDefinition again = graphrun::parse_model(model.resolved, "again.yaml", {}, language());
  CHECK(again.data->classes == data.classes);
  CHECK(again.data->test->labels == data.test->labels);
}

TEST_CASE("settings change vars and paths, and what does not fit is refused") {
  const std::string text = x +
                           "vars: {units: 4, rate: 0.1, sizes: [1, 2], act: relu}\n"
                           "nodes: {h: {op: dense, in: x, units: $units, act: $act}}\n"
                           "loss: {m: {op: mse, in: [h, 0]}}\n"
                           "train: {optimizer: {op: adam, lr: 1.0e-3}, epochs: 3}\n";
  CHECK(type_of(parse(text, {"units=10"}), "h") == "f32[batch, 10]");
  CHECK(parse(text, {"train.epochs=7"}).train->epochs == 7);
  CHECK(parse(text, {"train.steps=7"}).train->steps == 7);
  CHECK(parse(text, {"train.seed=7"}).train->seed == 7);
  CHECK(parse(text, {"nodes.h.act=tanh", "rate=1"}).resolved.find("act: tanh") != std::string::npos);
  CHECK(parse(text, {"train.optimizer={op: sgd, lr: 1}"}).train->optimizer.op == "sgd");
  CHECK(parse(text, {"data=mnist"}).data->name == "mnist");
  CHECK(parse("data: fashion_mnist\n" + text, {"data={train: {images: /a.idx}}"}).data->train->images ==
        "/a.idx");
  CHECK(mistake(text, {"data=3"}).find("--set:1:6: error:") == 0);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"unit=10",
       "--set:1:1: error: the model has no var 'unit'\n    unit=10\n    ^\n  fix: Did you mean 'units'?\n"},
      {"units=2.5",
       "--set:1:7: error: var 'units' is an integer, not the number 2.5\n    units=2.5\n          ^\n"},
      {"sizes=3",
       "--set:1:7: error: var 'sizes' is a list, not the integer 3\n    sizes=3\n          ^\n  fix: Write "
       "sizes=[3].\n"},
      {"act=3", "--set:1:5: error: var 'act' is a text, not the integer 3\n    act=3\n        ^\n"},
      {"units",
       "--set:1:1: error: 'units' is no setting\n    units\n    ^\n  fix: Write NAME=VALUE, e.g. "
       "units=10.\n"},
      {"units=",
       "--set:1:7: error: there is no value after the '='\n    units=\n          ^\n  fix: Write NAME=VALUE, "
       "e.g. units=10.\n"},
      {"train.epoch=3",
       "--set:1:7: error: `train` has no key 'epoch'\n    train.epoch=3\n          ^\n  fix: Write "
       "`epochs:`.\n"},
      {"nodes.k.act=relu",
       "--set:1:7: error: 'nodes' has no 'k'\n    nodes.k.act=relu\n          ^\n  fix: Did you mean 'h'?\n"},
      {"trian.epochs=3",
       "--set:1:1: error: the model has no 'trian'\n    trian.epochs=3\n    ^\n  fix: Did you mean "
       "'train'?\n"},
      {"train=3",
       "--set:1:1: error: the model has no var 'train'\n    train=3\n    ^\n  fix: A path into `train:` has "
       "a dot: train.KEY=VALUE.\n"},
      {"sizes=[1, 2",
       "--set:1:7: error: this '[' is never closed\n    sizes=[1, 2\n          ^\n  fix: Add the missing "
       "']'.\n"},
      {"units=010",
       "--set:1:7: error: '010' starts with a zero, which some readers take as octal\n    units=010\n        "
       "  ^\n  fix: Write 10.\n"},
  };
  for (const auto& [setting, expected] : cases) {
    INFO(setting);
    CHECK(mistake(text, {setting}) == expected);
  }
}

TEST_CASE("settings choose another data set, by name or file by file") {
  const std::string rest = x + "nodes: {h: relu(x)}\nloss: {m: {op: mse, in: [h, x]}}\n";
  const std::string folder = std::filesystem::current_path().string() + "/";
  CHECK(parse("data: fashion_mnist\n" + rest, {"data=mnist"}).data->name == "mnist");
  CHECK(parse(rest, {"data=mnist"}).data->name == "mnist");
  for (const std::string& before :
       {std::string(), std::string("data: mnist\n"), std::string("data: {train: {images: c}}\n")}) {
    INFO(before);
    const ModelDefinition model =
        parse(before + rest, {"data.train.images=a", "data.train.labels=/b", "data.test.images=../c"});
    CHECK(model.data->name.empty());
    CHECK(model.data->train.value().images == folder + "a");
    CHECK(model.data->train.value().labels == "/b");
    CHECK(model.data->test.value().images == std::filesystem::path(folder + "../c").lexically_normal());
    CHECK(parse(model.resolved.substr(model.resolved.find('\n') + 1)).data->train.value().labels == "/b");
  }
  CHECK(parse("vars: {data: 3}\n" + rest, {"data=4"}).resolved.find("data: 4") != std::string::npos);
  CHECK(mistake("data: mnist\n" + rest, {"data.tran.images=a"}) ==
        "--set:1:6: error: `data` has no key 'tran'\n    data.tran.images=a\n         ^\n  fix: Did you mean "
        "'train'?\n");
  CHECK(mistake("data: mnist\n" + rest, {"data.test.images=a"}) ==
        "--set:1:6: error: `data:` names no files to train on\n    data.test.images=a\n         ^\n  fix: "
        "Write "
        "{train: {images: FILE}} or {train: {table: FILE}}.\n");
}

TEST_CASE("grad, like, batch and noise in formulas") {
  const ModelDefinition model = parse(x +
                                      "nodes:\n"
                                      "  code: {op: dense, in: x, units: 3, act: tanh}\n"
                                      "  v: {op: random_normal, like: code}\n"
                                      "  slope: grad(sum(v * code), x)\n"
                                      "  w: x + 0.1 * random_normal(like=x)\n"
                                      "  pair: {op: random_normal, shape: [batch, batch]}\n"
                                      "  n: sum(pair) / (batch * (batch - 1))\n");
  CHECK(type_of(model, "slope") == "f32[batch, 8]");
  CHECK(type_of(model, "v") == "f32[batch, 3]");
  CHECK(type_of(model, "pair") == "f32[batch, batch]");
  CHECK(type_of(model, "n") == "f32[]");
  std::vector<std::string> paths;
  for (const graphrun::Node& node : model.graph.nodes()) {
    if (node.op->traits.random) paths.push_back(node.origin->path);
  }
  CHECK(paths == std::vector<std::string>{"v", "w/random_normal", "pair"});
}
