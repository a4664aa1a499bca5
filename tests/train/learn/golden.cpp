#include "tests/train/learn/golden.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/support/folders.hpp"
#include "train/datasets/dataset.hpp"

namespace graphrun::testing {

namespace {

using nlohmann::json;

std::uint64_t fnv1a(const std::string& text) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return hash;
}

const train::ImageSet& images() {
  static const train::ImageSet set =
      train::load_images({testing::in_source("/data/fashion_mnist_1200/train-images-idx3-ubyte.gz"), {}});
  return set;
}

/// Twelve uniforms less six: mean 0, variance 1.
double noise(std::uint64_t step, std::uint64_t index) {
  const std::string name = "noise." + std::to_string(step);
  double sum = -6;
  for (std::uint64_t i = 0; i < 12; ++i) sum += golden_uniform(name, 12 * index + i);
  return sum;
}

}  // namespace

Golden read_golden(const std::string& name) {
  std::ifstream file(testing::in_source("/tests/goldens/") + name + ".json");
  const json data = json::parse(file);
  Golden golden;
  golden.model = testing::in_source("/") + data.at("model").get<std::string>();
  golden.settings = data.at("set").get<std::vector<std::string>>();
  golden.batch = data.at("batch").get<std::int64_t>();
  golden.steps = data.at("steps").get<std::uint64_t>();
  golden.loss = data.at("loss").get<std::vector<double>>();
  for (const json& parameter : data.at("parameters"))
    golden.parameters.push_back({parameter.at("name").get<std::string>(),
                                 parameter.at("shape").get<Extents>(), parameter.at("bound").get<double>(),
                                 parameter.at("first").get<double>(), parameter.at("last").get<double>()});
  for (const auto& [feed, about] : data.at("feeds").items()) golden.feeds.push_back(feed);
  return golden;
}

double golden_uniform(const std::string& name, std::uint64_t index) {
  std::uint64_t z = fnv1a(name) + (index + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

std::vector<double> golden_weights(const GoldenParameter& parameter) {
  std::vector<double> values(static_cast<std::size_t>(element_count(parameter.extents)));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = (2 * golden_uniform(parameter.name, i) - 1) * parameter.bound;
  return values;
}

std::vector<double> golden_batch(const Golden& golden, std::uint64_t step) {
  const auto rows = static_cast<std::uint64_t>(golden.batch);
  std::vector<double> values;
  for (std::uint64_t row = 0; row < rows; ++row)
    for (const std::uint8_t pixel : images().image((rows * step + row) % 1000))
      values.push_back(pixel / 255.0);
  return values;
}

HostTensor golden_feed(const Golden& golden, const std::string& name, std::uint64_t step) {
  if (name == "x") return {{golden.batch, 784}, golden_batch(golden, step)};
  if (name == "noisy") {
    HostTensor tensor{{golden.batch, 784}, golden_batch(golden, step)};
    for (std::size_t i = 0; i < tensor.values.size(); ++i) tensor.values[i] += 0.3 * noise(step, i);
    return tensor;
  }
  if (name != "eps") throw std::runtime_error("the goldens have no rule for " + name);
  HostTensor tensor{{golden.batch, 20}, {}};
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(golden.batch) * 20; ++i)
    tensor.values.push_back(noise(step, i));
  return tensor;
}

}  // namespace graphrun::testing
