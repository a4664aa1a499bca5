// What an exported file holds: nodes, names, layouts, metadata; and what is said when it cannot be made.
#include <algorithm>

#include "graphrun/error.hpp"
#include "onnx/export/export_model.hpp"
#include "tests/onnx/block_models.hpp"
#include "tests/onnx/reader.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/folders.hpp"
#include "tests/support/thrown.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/learner.hpp"

using namespace graphrun;
using graphrun::testing::ReadModel;
using graphrun::testing::throws;

namespace {

using Names = std::vector<std::string>;

train::Learner learner_of(const train::SharedDefinition& model) {
  train::Learner learner(model, {});
  learner.initialise();
  return learner;
}

train::Learner bundled(const std::string& name) {
  return learner_of(train::load_definition(testing::in_source("/models/" + name + ".yaml")));
}

train::Learner parsed(const std::string& text) {
  return learner_of(train::parse_definition(text, "model.yaml"));
}

ReadModel exported(const train::Learner& learner, const onnx::ExportOptions& options = {}) {
  return testing::read_model(onnx::export_model(learner, options).bytes);
}

std::string metadata(const ReadModel& file, const std::string& key) {
  for (const auto& [name, value] : file.metadata)
    if (name == key) return value;
  return "none";
}

}  // namespace

TEST_CASE("layers are the nodes that ONNX has for them, and images are turned at the ends alone") {
  for (const testing::BlockModel& block : testing::block_models()) {
    INFO(block.name);
    const ReadModel file = exported(parsed(block.text));
    if (!block.ops.empty()) CHECK(file.ops() == block.ops);
  }
  for (const std::string name : {"convolutional", "classifier", "gan"}) {
    INFO(name);
    const Names given = name == "gan" ? Names{"z"} : Names{};
    CHECK(std::ranges::count(exported(bundled(name), {.given = given}).ops(), "Transpose") == 0);
  }
}

TEST_CASE("a file keeps the names of nodes, weights, inputs and outputs") {
  const train::Learner learner = bundled("autoencoder");
  const ReadModel file = exported(learner);
  CHECK(file.inputs == Names{"x 1 [batch, 784]"});
  CHECK(file.outputs == Names{"code 1 [batch, 2]", "image 1 [batch, 784]"});
  CHECK(file.nodes.front().name == "enc.0.sum.0");
  CHECK(file.nodes.back().name == "recon");
  CHECK(file.nodes.back().outputs == Names{"image"});
  const auto weights = learner.weights();
  CHECK(file.tensors.size() == weights.size());
  for (const auto& [name, values] : weights) CHECK(file.tensor(name).values == values);
}

TEST_CASE(
    "kernels are turned as ONNX has them, and a matrix after an image takes its rows in the image's order") {
  const train::Learner learner = bundled("convolutional");
  const ReadModel file = exported(learner);
  const auto weights = learner.weights();
  const std::vector<float>& kernel = weights.at("enc.1.c.w");  // [3, 3, 16, 32]
  REQUIRE(file.tensor("enc.1.c.w").shape == std::vector<std::int64_t>{32, 16, 3, 3});
  CHECK(file.tensor("enc.1.c.w").values[((31 * 16 + 5) * 3 + 1) * 3 + 2] ==
        kernel[((1 * 3 + 2) * 16 + 5) * 32 + 31]);
  const std::vector<float>& rows = weights.at("code.w");  // [7 7 32, 30]
  CHECK(file.tensor("code.w").values[((6 * 7 + 2) * 7 + 3) * 30 + 4] ==
        rows[((2 * 7 + 3) * 32 + 6) * 30 + 4]);
  const std::vector<float>& bias = weights.at("wide.b");
  CHECK(file.tensor("wide.b").values[(6 * 7 + 2) * 7 + 3] == bias[(2 * 7 + 3) * 32 + 6]);
}

TEST_CASE("parts are cut at the code, at the latent, or at any node") {
  const train::Learner vae = bundled("vae");
  CHECK(exported(vae, {.part = {"encoder"}}).outputs == Names{"code 1 [batch, 20]"});
  CHECK(exported(vae, {.part = {"decoder"}}).inputs == Names{"z 1 [batch, 20]"});
  CHECK(exported(vae, {.given = {"eps"}}).inputs == Names{"x 1 [batch, 784]", "eps 1 [batch, 20]"});
  CHECK(exported(vae, {.part = {"mu", "logvar"}}).outputs ==
        Names{"mu 1 [batch, 20]", "logvar 1 [batch, 20]"});
  CHECK(exported(vae, {.part = {"image"}, .given = {"dec"}}).inputs == Names{"dec 1 [batch, 400]"});
  const train::Learner conditional = bundled("conditional_vae");
  CHECK(exported(conditional, {.part = {"decoder"}}).inputs == Names{"y 6 [batch]", "z 1 [batch, 20]"});
  // What is nothing but a draw is no output of the whole.
  CHECK(exported(bundled("adversarial_ae")).outputs.size() == 2);
}

TEST_CASE("noise is left out of a file, `when: always` too") {
  const ReadModel file = exported(bundled("denoising_ae"));
  CHECK(file.inputs == Names{"x 1 [batch, 784]"});
  CHECK(std::ranges::count(file.ops(), "RandomNormal") == 0);
}

TEST_CASE("pixels are divided in the file") {
  const ReadModel file = exported(bundled("autoencoder"), {.part = {"encoder"}, .pixels = true});
  CHECK(file.inputs == Names{"x 2 [batch, 784]"});
  CHECK(file.ops()[0] == "Cast");
  CHECK(file.ops()[1] == "Div");
  const train::Learner vae = bundled("vae");
  CHECK(throws([&] { exported(vae, {.part = {"decoder"}, .pixels = true}); }, ErrorCode::usage,
               "no input of images"));
}

TEST_CASE("a schedule is written with its value of the moment") {
  train::Learner learner = parsed(
      "graphrun: 1\nname: m\ninputs: {x: {shape: [batch, 3]}}\n"
      "nodes: {s: {linear: {from: 2, to: 4, steps: 10}}, y: x * s}\noutputs: {code: y}\n");
  learner.state().step = 5;
  const ReadModel file = exported(learner);
  CHECK(file.inputs.size() == 1);
  CHECK(file.tensor("number/3").values == std::vector<float>{3});
}

TEST_CASE("a file says what it was made from") {
  const train::Learner learner = bundled("autoencoder");
  const ReadModel file = exported(learner, {.part = {"decoder"}});
  CHECK(metadata(file, "graphrun.model") == learner.model().resolved);
  CHECK(metadata(file, "graphrun.digest") == learner.digest());
  CHECK(metadata(file, "graphrun.trainable").find("\"recon.b\"") != std::string::npos);
  CHECK(metadata(file, "graphrun.trainable").find("enc.0.w") == std::string::npos);
  for (const auto& [opset, ir] : {std::pair{13, 7}, {17, 8}, {20, 9}, {21, 10}}) {
    const ReadModel other = exported(learner, {.opset = opset});
    CHECK(other.opset == opset);
    CHECK(other.ir_version == ir);
  }
}

TEST_CASE("a file is little more than its weights") {
  for (const std::string name : {"autoencoder", "convolutional", "classifier", "deep_ae"}) {
    const train::Learner learner = bundled(name);
    std::size_t bytes = 0;
    for (const auto& [weight, values] : learner.weights()) bytes += values.size() * sizeof(float);
    CHECK(onnx::export_model(learner, {}).bytes.size() <= bytes + bytes / 100 + 2048);
  }
}

TEST_CASE("all that cannot be exported is said at once, with its node and line") {
  const train::Learner learner = parsed(
      "graphrun: 1\nname: m\ninputs: {x: {shape: [batch, 4, 4, 1]}}\n"
      "nodes:\n  n: {op: random_normal, like: x}\n"
      "  p: grad(sum(max_pool(x, kernel=2) ** 2), x)\n"
      "  y: n + p\noutputs: {code: y}\n");
  try {
    exported(learner);
    FAIL("nothing was said");
  } catch (const ModelError& error) {
    REQUIRE(error.diagnostics().size() == 2);
    CHECK(error.diagnostics()[0].node == "n");
    CHECK(error.diagnostics()[0].where.line == 5);
    CHECK(error.diagnostics()[0].message.find("draws random numbers") != std::string::npos);
    CHECK(error.diagnostics()[0].fix.find("--given n") != std::string::npos);
    CHECK(error.diagnostics()[1].where.line == 6);
    CHECK(error.diagnostics()[1].message.find("max_pool_gradient") != std::string::npos);
  }
}

TEST_CASE("values that are used again and again are looked at once") {
  std::string nodes = "  p0: max_pool(x, kernel=1)\n";
  for (int i = 1; i < 200; ++i)
    nodes +=
        "  p" + std::to_string(i) + ": p" + std::to_string(i - 1) + " * p" + std::to_string(i - 1) + " + x\n";
  nodes += "  f0: flatten(p199)\n";
  for (int i = 1; i < 200; ++i)
    nodes +=
        "  f" + std::to_string(i) + ": f" + std::to_string(i - 1) + " * f" + std::to_string(i - 1) + " + 1\n";
  const ReadModel file =
      exported(parsed("graphrun: 1\nname: m\ninputs: {x: {shape: [batch, 2, 2, 3]}}\nnodes:\n" + nodes +
                      "  y: {op: dense, in: f199, units: 2}\noutputs: {code: y}\n"));
  CHECK(std::ranges::count(file.ops(), "Transpose") == 1);
}

TEST_CASE("what cannot be asked for is said") {
  const train::Learner learner = bundled("autoencoder");
  const auto refused = [&](const onnx::ExportOptions& options, const std::string& what) {
    return throws([&] { exported(learner, options); }, ErrorCode::usage, what);
  };
  CHECK(refused({.opset = 12}, "opset 12"));
  CHECK(refused({.opset = 22}, "from 13 to 21"));
  CHECK(refused({.part = {"cod"}}, "Did you mean 'code'?"));
  CHECK(refused({.given = {"enc.9"}}, "enc.9"));
  const train::Learner gan = bundled("gan");
  CHECK(throws([&] { exported(gan, {.part = {"encoder"}}); }, ErrorCode::usage, "no output 'code'"));
}
