// Watches a machine by eight sensors: scores every row that comes in, learns anew from the last good rows
// meanwhile, and takes the new weights over without a pause. At row 6000 a sensor gets stuck.
//
//   anomaly
#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <graphrun/graphrun.hpp>
#include <iostream>
#include <optional>
#include <random>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t sensors = 8;
constexpr std::size_t window = 1500;  // rows that are learnt from
constexpr std::size_t fault = 6000;
constexpr std::size_t rows = 7000;

/// Eight sensors that follow two things, the load and the heat: two numbers are enough for a row that is as
/// it should be.
constexpr const char* network = R"(
graphrun: 1
name: machine
inputs:
  x: {shape: [batch, 8]}
nodes:
  enc:   {op: dense, in: x, units: 16, act: tanh}
  code:  {op: dense, in: enc, units: 2}
  dec:   {op: dense, in: code, units: 16, act: tanh}
  again: {op: dense, in: dec, units: 8}
outputs: {code: code, again: again}
loss:
  error: {op: mse, in: [again, x]}
train: {optimizer: {op: adam, lr: 0.005}, batch: 50, epochs: 20, seed: 1}
)";

using Row = std::array<float, sensors>;

class Machine {
 public:
  Row next() {
    const auto time = static_cast<float>(at_++);
    const float load = std::sin(time / 40);
    const float heat = std::cos(time / 150);
    Row row;
    for (std::size_t i = 0; i < sensors; ++i) {
      const auto place = static_cast<float>(i);
      row[i] = std::cos(place) * load + std::sin(place) * heat + 0.02F * noise_(random_);
    }
    if (at_ > fault) row[3] = 0.7F;
    return row;
  }

 private:
  std::size_t at_ = 0;
  std::mt19937 random_{7};
  std::normal_distribution<float> noise_;
};

float score_of(const graphrun::Predictor& predictor, const Row& row) {
  Row again;
  predictor.predict(std::span<const float>(row), std::span<float>(again));
  float sum = 0;
  for (std::size_t i = 0; i < sensors; ++i) sum += (again[i] - row[i]) * (again[i] - row[i]);
  return sum / sensors;
}

/// What a thread has learnt: how to score a row, and above which score something is wrong.
struct Learnt {
  graphrun::Weights weights;
  float limit = 0;
};

Learnt learn(graphrun::Session& session, const std::vector<float>& values) {
  session.fit({{"x", std::span(values)}});
  const graphrun::Predictor predictor(session.model(), session.weights(), {.outputs = {"again"}});
  float highest = 0;
  for (std::size_t at = 0; at < values.size(); at += sensors) {
    Row row;
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(at), sensors, row.begin());
    highest = std::max(highest, score_of(predictor, row));
  }
  return {session.weights(), 1.5F * highest};
}

}  // namespace

int main() try {
  const graphrun::Model model = graphrun::Model::parse(network, "machine.yaml");
  graphrun::SessionOptions alone;
  alone.threads = 1;
  graphrun::Session session(model, alone);
  graphrun::Predictor predictor(model, session.weights(), {.outputs = {"again"}});
  predictor.prepare(1);

  Machine machine;
  std::vector<float> good;  // the last rows that were as they should be
  std::optional<float> limit;
  std::optional<std::size_t> alarm;
  int false_alarms = 0;
  std::optional<Learnt> learnt;
  std::jthread learning;
  std::size_t begun = 0;
  for (std::size_t at = 0; at < rows && !alarm; ++at) {
    const Row row = machine.next();
    const bool wrong = limit && score_of(predictor, row) > *limit;
    if (wrong && at >= fault) alarm = at;
    if (wrong && at < fault) ++false_alarms;
    if (!wrong) good.insert(good.end(), row.begin(), row.end());
    if (good.size() > window * sensors) good.erase(good.begin(), good.begin() + sensors);
    if (good.size() < window * sensors || at < begun + window) continue;
    if (learning.joinable()) {  // a machine of flesh and blood is slower: there it would long be done
      learning.join();
      predictor.swap_weights(learnt->weights);
      limit = learnt->limit;
    }
    begun = at;
    learning = std::jthread([&session, &learnt, values = good] { learnt = learn(session, values); });
  }
  if (!alarm) {
    std::cout << "the stuck sensor was not noticed\n";
    return 1;
  }
  std::cout << "alarm " << *alarm - fault << " rows after the sensor got stuck, " << false_alarms
            << " false alarms before\n";
  return false_alarms < 10 ? 0 : 1;
} catch (const graphrun::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
