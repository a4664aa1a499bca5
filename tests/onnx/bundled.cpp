#include "tests/onnx/bundled.hpp"

#include <random>
#include <utility>

#include "graphrun/error.hpp"

namespace graphrun::testing {

namespace {

/// Weights that are nowhere 0 or 1, as if something had been learnt.
void stir(train::Learner& learner) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> more(-0.05F, 0.05F);
  train::Learner::Weights weights = learner.weights();
  for (auto& [name, values] : weights)
    for (float& value : values) value += more(random);
  learner.set_weights(weights);
}

}  // namespace

train::SharedDefinition clean(const std::string& path) {
  try {
    return train::load_definition(path, std::vector<std::string>{"when=train"});
  } catch (const ModelError&) {
    return train::load_definition(path);
  }
}

train::Learner stirred(train::SharedDefinition model) {
  train::Learner learner(std::move(model), {});
  learner.initialise();
  stir(learner);
  return learner;
}

std::vector<std::string> draws_of(const std::string& name) {
  if (name.find("vae") != std::string::npos && name != "vq_vae") return {"eps"};
  if (name == "gan" || name == "wgan_gp") return {"z"};
  return {};
}

}  // namespace graphrun::testing
