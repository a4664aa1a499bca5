#include "weights/foreign.hpp"

#include <algorithm>

#include "tests/support/catch.hpp"
#include "tests/support/folders.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "tests/weights/file_maker.hpp"
#include "train/learn/definition.hpp"
#include "weights/save.hpp"

using namespace graphrun;
using graphrun::testing::contains;
using graphrun::testing::FileMaker;
using graphrun::testing::TemporaryFolder;
using graphrun::testing::thrown;
using weights::Convention;

namespace {

train::SharedDefinition parsed(const std::string& inputs, const std::string& nodes, const std::string& code) {
  return train::parse_definition("graphrun: 1\nname: m\ninputs: {x: {shape: [batch, " + inputs +
                                     "]}}\nnodes:\n" + nodes + "outputs: {code: " + code + "}\n",
                                 "model.yaml");
}

train::SharedDefinition two_layers() {
  return parsed("4", "  h: {op: dense, in: x, units: 3, act: tanh}\n  y: {op: dense, in: h, units: 2}\n",
                "y");
}

train::Learner::Weights taken(const ModelDefinition& model, const files::SafetensorsFile& file,
                              weights::ForeignOptions options = {}) {
  return weights::read(weights::match(model, file, options), file);
}

std::string refusal(const ModelDefinition& model, const files::SafetensorsFile& file,
                    const weights::ForeignOptions& options = {}) {
  const auto error = thrown([&] { weights::match(model, file, options); });
  return error ? std::string(error->what()) : "taken";
}

}  // namespace

TEST_CASE("modules are found by shape and order, and matrices are turned") {
  const TemporaryFolder folder;
  FileMaker maker;
  maker.add("net.2.weight", {2, 3}).add("net.0.bias", {3}).add("net.0.weight", {3, 4}).add("net.2.bias", {2});
  const train::Learner::Weights values = taken(*two_layers(), maker.write(folder));
  REQUIRE(values.size() == 4);
  CHECK(values.at("y.w") == std::vector<float>{1000, 1003, 1001, 1004, 1002, 1005});
  CHECK(values.at("h.b") == maker.values(1));
  CHECK(values.at("h.w")[1] == maker.values(2)[4]);
}

TEST_CASE("names are equal behind what wrappers put in front of all of them") {
  const auto square = parsed("3",
                             "  a: {op: dense, in: x, units: 3}\n  b: {op: dense, in: a, units: 3}\n"
                             "  c: {op: dense, in: b, units: 3}\n",
                             "c");
  const auto with = [](const std::vector<std::string>& modules) {
    FileMaker maker;
    for (const std::string& module : modules)
      maker.add(module + ".weight", {3, 3}).add(module + ".bias", {3});
    return maker;
  };
  for (const std::string prefix : {"", "module.", "_orig_mod.", "model.net."}) {
    INFO(prefix);
    const TemporaryFolder folder;
    const FileMaker maker = with({prefix + "b", prefix + "a", prefix + "c"});
    const train::Learner::Weights values = taken(*square, maker.write(folder));
    CHECK(values.at("b.b") == maker.values(1));
    CHECK(values.at("a.b") == maker.values(3));
    CHECK(values.at("c.b") == maker.values(5));
  }
  const TemporaryFolder folder;
  CHECK(contains(
      refusal(
          *square,
          with({"student.a", "student.b", "student.c", "teacher.a", "teacher.b", "teacher.c"}).write(folder)),
      "in more than one way"));
  const FileMaker own = with({"a", "b", "c", "ema.a", "ema.b", "ema.c"});
  CHECK(taken(*square, own.write(folder, "averaged")).at("c.b") == own.values(5));
}

TEST_CASE("Keras has its matrices as graphrun, under its own names") {
  const TemporaryFolder folder;
  FileMaker maker;
  maker.add("dense/kernel:0", {4, 3})
      .add("dense/bias:0", {3})
      .add("dense_1/kernel:0", {3, 2})
      .add("dense_1/bias:0", {2});
  const train::Learner::Weights values =
      taken(*two_layers(), maker.write(folder), {.convention = Convention::keras});
  CHECK(values.at("h.w") == maker.values(0));
  CHECK(values.at("y.b") == maker.values(3));
}

TEST_CASE("rows after a flattened image, columns and bias before one come in graphrun's order of pixels") {
  const auto model = parsed("3, 2, 2",
                            "  f: {op: dense, in: flatten(x), units: 12, act: relu}\n"
                            "  y: {op: reshape, in: f, shape: [batch, 3, 2, 2]}\n",
                            "y");
  const TemporaryFolder folder;
  FileMaker maker;
  maker.add("0.weight", {12, 12}).add("0.bias", {12});
  const train::Learner::Weights values = taken(*model, maker.write(folder));
  // Pixel (h, w, c) of graphrun's is number (c 3 + h) 2 + w of PyTorch's.
  const auto theirs = [](std::size_t h, std::size_t w, std::size_t c) { return (c * 3 + h) * 2 + w; };
  const auto ours = [](std::size_t h, std::size_t w, std::size_t c) { return (h * 2 + w) * 2 + c; };
  CHECK(values.at("f.b")[ours(2, 1, 0)] == maker.values(1)[theirs(2, 1, 0)]);
  CHECK(values.at("f.w")[ours(1, 0, 1) * 12 + ours(2, 1, 0)] ==
        maker.values(0)[theirs(2, 1, 0) * 12 + theirs(1, 0, 1)]);
}

TEST_CASE("kernels and statistics go where they belong, and what is not needed is left") {
  const auto model = parsed("6, 6, 3",
                            "  c: {op: conv2d, in: x, channels: 5, bias: false}\n"
                            "  n: {op: batch_norm, in: c}\n"
                            "  t: {op: conv_transpose2d, in: relu(n), channels: 2}\n"
                            "  l: {op: layer_norm, in: t}\n",
                            "l");
  const TemporaryFolder folder;
  FileMaker maker;
  maker.add("f.0.weight", {5, 3, 3, 3})
      .add("f.1.weight", {5})
      .add("f.1.bias", {5})
      .add("f.1.running_mean", {5});
  maker.add("f.1.running_var", {5}).add("f.1.num_batches_tracked", {}).add("f.3.weight", {5, 2, 4, 4});
  maker.add("f.3.bias", {2}).add("f.4.weight", {2}).add("f.4.bias", {2}).add("head.weight", {7, 7});
  const files::SafetensorsFile file = maker.write(folder);
  const train::Learner::Weights values = taken(*model, file);
  CHECK(values.at("c.w")[((1 * 3 + 2) * 3 + 1) * 5 + 4] == maker.values(0)[((4 * 3 + 1) * 3 + 1) * 3 + 2]);
  CHECK(values.at("t.w")[((3 * 4 + 2) * 2 + 1) * 5 + 4] == maker.values(6)[((4 * 2 + 1) * 4 + 3) * 4 + 2]);
  CHECK(values.at("n.gain") == maker.values(1));
  CHECK(values.at("n.mean") == maker.values(3));
  CHECK(values.at("n.variance") == maker.values(4));
  CHECK(values.at("l.shift") == maker.values(9));
  const std::string table = weights::table_of(weights::match(*model, file, {}));
  CHECK(contains(table, "f.0.weight f32[5, 3, 3, 3] -> c.w [3, 3, 3, 5], axes 3, 2, 0, 1"));
  CHECK(contains(table, "not needed: f.1.num_batches_tracked, head.weight"));
}

TEST_CASE("equal names decide, and the map before them, and what fits in two ways is a question") {
  const auto square =
      parsed("3", "  a: {op: dense, in: x, units: 3}\n  b: {op: dense, in: a, units: 3}\n", "b");
  const TemporaryFolder folder;
  FileMaker maker;
  maker.add("q.weight", {3, 3}).add("q.bias", {3}).add("p.weight", {3, 3}).add("p.bias", {3});
  const files::SafetensorsFile file = maker.write(folder);
  const std::string question = refusal(*square, file);
  CHECK(contains(question, "more than one way"));
  CHECK(contains(question, "layer 'a' may be 'p' or 'q'"));
  CHECK(contains(question, "--map"));
  CHECK(taken(*square, file, {.map = {{"q", "a"}}}).at("b.b") == maker.values(3));
  CHECK(taken(*square, file, {.map = {{"q", "a"}, {"p.weight", "b.w"}, {"q.bias", "b.b"}}}).at("b.b") ==
        maker.values(1));
  CHECK(contains(refusal(*square, file, {.map = {{"r", "a"}}}), "no module or tensor 'r'"));

  const TemporaryFolder named;
  FileMaker same;
  same.add("b.weight", {3, 3}).add("b.bias", {3}).add("a.weight", {3, 3}).add("a.bias", {3});
  CHECK(taken(*square, same.write(named)).at("b.b") == same.values(1));
}

TEST_CASE("what is missing or does not fit is named") {
  const TemporaryFolder folder;
  FileMaker maker;
  maker.add("0.weight", {3, 5}).add("0.bias", {3}).add("1.weight", {2, 3}).add("1.bias", {2});
  const files::SafetensorsFile file = maker.write(folder);
  CHECK(contains(refusal(*two_layers(), file), "no module that could be 'h' (dense, [3, 4] and [3])"));
  CHECK(contains(refusal(*two_layers(), file, {.map = {{"0", "h"}}}),
                 "'0.weight' is f32[3, 5] and 'h.w' needs [3, 4]"));
  // Only what is needed must be there.
  const std::set<std::string> needed{"y.w", "y.b"};
  CHECK(taken(*two_layers(), file, {.needed = &needed}).size() == 2);
  const auto free = parsed("3", "  w: {op: param, shape: [3], init: zeros}\n  y: x * w\n", "y");
  CHECK(contains(refusal(*free, file), "nothing in it could be 'w'"));
  CHECK(taken(*free, file, {.map = {{"0.bias", "w"}}}).at("w") == maker.values(1));
}

TEST_CASE("braces in a map stand for words on both sides") {
  const auto map = weights::correspondences("encoder.{0,2}.net.{1,3}=enc.{a,b}.{x,y}");
  REQUIRE(map.size() == 4);
  CHECK(map[1].theirs == "encoder.0.net.3");
  CHECK(map[1].ours == "enc.a.y");
  for (const std::string wrong : {"a", "a.{0,1}=b", "{0,1}=b.{0,1,2}"})
    CHECK(thrown([&] { weights::correspondences(wrong); }).has_value());
}

TEST_CASE("every bundled model's weights come back from PyTorch's layout, by names and by shapes") {
  for (const std::string name :
       {"autoencoder", "convolutional", "classifier", "tied", "vae", "vq_vae", "gan", "wgan_gp",
        "adversarial_ae", "pretrain_classifier", "convolutional_denoising"}) {
    INFO(name);
    const train::SharedDefinition model =
        train::load_definition(testing::in_source("/models/" + name + ".yaml"));
    train::Learner learner(model, {});
    learner.initialise();
    const TemporaryFolder folder;
    for (const Convention convention : {Convention::torch, Convention::keras}) {
      const auto path = folder / "weights.safetensors";
      weights::save_weights(path, learner, convention);
      const files::SafetensorsFile file(path);
      CHECK(weights::guessed(*model, file) == convention);
      CHECK(taken(*model, file, {.convention = convention}) == learner.weights());
    }
  }
}
