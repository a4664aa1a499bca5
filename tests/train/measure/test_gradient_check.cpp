#include <algorithm>
#include <filesystem>

#include "language/build.hpp"
#include "ops/op.hpp"
#include "ops/standard_blocks.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/folders.hpp"
#include "tests/support/thrown.hpp"
#include "train/measure/gradient_check.hpp"

using namespace graphrun;
using namespace graphrun::testing;

namespace {

const Language language{&ops::registry(), ops::standard_blocks()};

std::vector<std::string> bundled_models() {
  std::vector<std::string> paths;
  for (const char* const folder : {"/models", "/models/published"}) {
    for (const auto& entry : std::filesystem::directory_iterator(testing::in_source(folder))) {
      if (entry.path().extension() == ".yaml") paths.push_back(entry.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

void check_all(const ModelDefinition& model) {
  const std::vector<GradientCheck> checks = train::check_model_gradients(model, ops::registry());
  CHECK_FALSE(checks.empty());
  for (const GradientCheck& check : checks) {
    INFO(model.name << " " << check.name << ": " << check.worst << " analytic " << check.analytic
                    << " numeric " << check.numeric);
    CHECK(check.ok);
    CHECK(check.checked > check.kinks);
  }
}

}  // namespace

TEST_CASE("the gradients of every bundled model agree with finite differences", "[single-threaded]") {
  const std::vector<std::string> paths = bundled_models();
  REQUIRE(paths.size() >= 4);
  for (const std::string& path : paths) {
    const ModelDefinition model = load_model(path, {}, language);
    if (!model.loss.empty()) check_all(model);
  }
}

TEST_CASE("a loss with a gradient in it is checked through the second derivative") {
  check_all(parse_model(R"yaml(
graphrun: 1
name: contractive
data: fashion_mnist
inputs: {x: {shape: [batch, 784]}}
nodes:
  first: {op: dense, in: x, units: 20, act: tanh}
  code: {op: dense, in: first, units: 5, act: sigmoid}
  recon: {op: dense, in: code, units: 784, act: sigmoid}
  v: {op: random_normal, like: code}
  slope: grad(sum(v * code), x)
loss:
  mse: {op: mse, in: [recon, x]}
  contraction: {of: "sum(slope ** 2, axis=1)", weight: 0.1}
train: {optimizer: {op: adam, lr: 1.0e-3}, batch: 8, epochs: 1, seed: 1}
)yaml",
                        "contractive.yaml", {}, language));
}

TEST_CASE("a model without a loss has no gradients to check") {
  const ModelDefinition model = parse_model(R"yaml(
graphrun: 1
name: no_loss
inputs: {x: {shape: [batch, 4]}}
nodes: {code: {op: dense, in: x, units: 2}}
)yaml",
                                            "no_loss.yaml", {}, language);
  CHECK(throws([&] { train::check_model_gradients(model, ops::registry()); }, ErrorCode::model,
               "nothing to learn"));
}
