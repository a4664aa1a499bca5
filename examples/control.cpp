// Keeps a tank at its level, a decision every two milliseconds, with a network that learns how the tank
// behaves while it is controlled. An answer that comes too late is not used: the valve then stays as it was.
//
//   control
#include <array>
#include <chrono>
#include <cmath>
#include <exception>
#include <graphrun/graphrun.hpp>
#include <iostream>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto patience = std::chrono::milliseconds(2);
constexpr std::size_t valves = 16;  // settings to choose from, from shut to open
constexpr float wanted = 0.6F;

/// How much the level changes in one step: a network of level and valve.
constexpr const char* network = R"(
graphrun: 1
name: tank
inputs:
  state:  {shape: [batch, 2]}
  change: {shape: [batch, 1]}
nodes:
  hidden:    {op: dense, in: state, units: 16, act: tanh}
  predicted: {op: dense, in: hidden, units: 1}
outputs: {predicted: predicted}
loss:
  error: {op: mse, in: [predicted, change]}
train: {optimizer: {op: adam, lr: 0.01}, batch: 64, epochs: 30, seed: 1}
)";

/// The tank itself: what comes in through the valve, and what runs out below by Torricelli's law.
float change_of(float level, float valve) {
  return 0.02F * valve - 0.015F * std::sqrt(std::max(level, 0.0F));
}

float setting(std::size_t valve) {
  return static_cast<float>(valve) / static_cast<float>(valves - 1);
}

/// What was seen while the valve stood here and there: rows of level and valve, and the change after each.
struct Log {
  std::vector<float> states;
  std::vector<float> changes;
};

Log try_everything() {
  Log log;
  for (int level = 0; level <= 20; ++level)
    for (std::size_t valve = 0; valve < valves; ++valve) {
      const float height = static_cast<float>(level) / 20;
      log.states.insert(log.states.end(), {height, setting(valve)});
      log.changes.push_back(change_of(height, setting(valve)) * 50);  // near 1: networks like that
    }
  return log;
}

/// Every setting of the valve in one call; the one that comes nearest to the level that is wanted.
std::size_t best_valve(const graphrun::Predictor& predictor, float level, std::span<float> states,
                       std::span<float> changes) {
  for (std::size_t valve = 0; valve < valves; ++valve) {
    states[2 * valve] = level;
    states[2 * valve + 1] = setting(valve);
  }
  predictor.predict(std::span<const float>(states), changes);
  std::size_t best = 0;
  const auto miss = [&](std::size_t valve) { return std::abs(level + changes[valve] / 50 - wanted); };
  for (std::size_t valve = 1; valve < valves; ++valve)
    if (miss(valve) < miss(best)) best = valve;
  return best;
}

}  // namespace

int main() try {
  const graphrun::Model model = graphrun::Model::parse(network, "tank.yaml");
  graphrun::SessionOptions alone;
  alone.threads = 1;
  graphrun::Session session(model, alone);
  graphrun::Predictor predictor(model, session.weights(), {.outputs = {"predicted"}});
  predictor.prepare(valves);  // from here on a call allocates nothing

  const Log log = try_everything();
  std::jthread learning([&] {
    graphrun::FitOptions fit;
    fit.on_epoch = [&](const graphrun::EpochReport&) { predictor.swap_weights(session.weights()); };
    session.fit({{"state", std::span(log.states)}, {"change", std::span(log.changes)}}, fit);
  });

  std::array<float, 2 * valves> states{};
  std::array<float, valves> changes{};
  float level = 0.1F;
  std::size_t valve = 0;
  int late = 0;
  const auto tick = [&] {
    const Clock::time_point begin = Clock::now();
    const std::size_t answer = best_valve(predictor, level, states, changes);
    if (Clock::now() - begin <= patience)
      valve = answer;
    else
      ++late;
    level += change_of(level, setting(valve));
    std::this_thread::sleep_until(begin + patience);
  };
  for (int step = 0; step < 250; ++step) tick();
  learning.join();
  for (int step = 0; step < 250; ++step) tick();
  std::cout << "level " << level << " of " << wanted << ", " << late << " answers of 500 too late\n";
  return 0;
} catch (const graphrun::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
