// "`check` says ok" means that a step of training runs: small models, drawn at random from what the language
// has, sensible and not. GRAPHRUN_MODELS=N draws more of them, GRAPHRUN_SEED=S others.
#include <fmt/format.h>

#include <bit>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "language/recipe/optimizer_kind.hpp"
#include "ops/op.hpp"
#include "runtime/execute/session.hpp"
#include "runtime/lower/lower.hpp"
#include "tests/support/catch.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/learning_step.hpp"
#include "train/learn/programs.hpp"

using namespace graphrun;
using namespace graphrun::train;

namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class ModelDraw {
 public:
  explicit ModelDraw(std::uint64_t seed) : random_(seed) {}

  std::string text() {
    std::string nodes;
    for (std::size_t i = 0; i < 1 + below(6); ++i) {
      const std::string name = fmt::format("n{}", i);
      nodes += fmt::format("  {}: {}\n", name, node());
      names_.push_back(name);
    }
    // Without a parameter nothing would be learnt.
    nodes += fmt::format("  last: {{op: dense, in: {}, units: {}}}\n", names_.back(), size());
    return fmt::format(
        "graphrun: 1\nname: m\ninputs: {{x: {{shape: [batch, {}]}}, y: {{from: labels}}}}\nnodes:\n{}"
        "loss:\n  t: {}\ntrain: {{optimizer: {}, batch: 3, steps: 1{}}}\n",
        size(), nodes, term(), optimizer(), one_of({"", "", ", partial: drop", ", seed: 3"}));
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  std::string one_of(const std::vector<std::string>& words) { return words[below(words.size())]; }
  std::string ref() { return one_of(names_); }
  std::string size() { return one_of({"1", "2", "4", "9", "16"}); }

  std::string node() {
    switch (below(8)) {
      case 0:
        return fmt::format("{{op: dense, in: {}, units: {}, act: {}}}", ref(), size(),
                           one_of({"linear", "relu", "tanh", "sigmoid", "gelu", "softplus", "elu"}));
      case 1:
        return fmt::format("{{op: {}, in: {}}}",
                           one_of({"relu", "tanh", "exp", "square", "sqrt", "log", "softmax", "flatten",
                                   "transpose", "logsumexp", "batch_norm", "layer_norm", "sign", "argmax"}),
                           ref());
      case 2:
        return fmt::format("{{op: {}, in: {}, axis: {}}}",
                           one_of({"sum", "mean", "max", "softmax", "argmax"}), ref(),
                           one_of({"0", "1", "-1", "2"}));
      case 3:
        return fmt::format("{{op: reshape, in: {}, shape: [batch, {}, {}, 1]}}", ref(),
                           one_of({"2", "4", "3"}), one_of({"2", "4", "3", "-1"}));
      case 4:
        return fmt::format("{{op: conv2d, in: {}, channels: {}, kernel: {}, stride: {}, pad: {}}}", ref(),
                           size(), one_of({"1", "2", "3"}), one_of({"1", "2"}), one_of({"0", "1"}));
      case 5:
        return fmt::format("{{op: {}, in: {}, amount: {}}}", one_of({"gaussian_noise", "masking", "dropout"}),
                           ref(), one_of({"0", "0.3", "1", "-0.1"}));
      case 6:
        return fmt::format("{{op: dense, in: {}, units: {}, repeat: {}}}", ref(), size(), one_of({"0", "2"}));
      default:
        return fmt::format("\"{} {} {}\"", ref(), one_of({"+", "-", "*", "/", "@", "**", ">"}),
                           one_of({ref(), "2", "0.5"}));
    }
  }

  std::string term() {
    const std::string reduce = one_of({"", ", reduce: mean", ", reduce: sum"});
    if (below(4) == 0) return fmt::format("{{op: cross_entropy, in: [last, y]{}}}", reduce);
    if (below(2) == 0) return fmt::format("{{of: \"last ** 2\"{}, weight: 0.1}}", reduce);
    return fmt::format("{{op: {}, in: [last, {}]{}}}", one_of({"mse", "bce", "bce_with_logits"}), ref(),
                       reduce);
  }

  std::string optimizer() {
    const OptimizerKind& kind = optimizer_kinds()[below(optimizer_kinds().size())];
    std::string text = fmt::format("{{op: {}, lr: {}", kind.name,
                                   one_of({"0.01", "0", "{cosine: {from: 1.0e-2, to: 0, epochs: 2}}"}));
    for (const OptimizerSetting& setting : kind.settings) {
      if (below(3) != 0) continue;
      const std::string least = setting.range.contains(0) ? "0" : "1.0e-8";
      text += fmt::format(", {}: {}", setting.name, setting.flag ? "true" : one_of({least, "0.5", "0.9"}));
    }
    return text + one_of({"}", ", clip_norm: 1}", ", clip_value: 0.5}"});
  }

  std::mt19937_64 random_;
  std::vector<std::string> names_ = {"x"};
};

/// As `check` does; empty when it finds a mistake.
std::vector<std::shared_ptr<const Graph>> checked(const std::string& text) {
  std::vector<std::shared_ptr<const Graph>> programs;
  try {
    const SharedDefinition model = parse_definition(text, "m.yaml");
    for (const BatchSteps& of_batch : steps_of_phases(*model, ops::registry()))
      for (const LearningStep& step : of_batch.steps)
        programs.push_back(training_program(step, ops::registry()).graph);
  } catch (const Error& error) {
    INFO(error.what());
    CHECK(error.code() == ErrorCode::model);
    return {};
  }
  return programs;
}

void run_step(const std::shared_ptr<const Graph>& graph, std::int64_t batch) {
  runtime::SessionOptions options;
  options.executor = runtime::ExecutorKind::serial;
  runtime::Session session(ops::registry(), ops::kernels(), options);
  const runtime::ProgramId program = session.add(graph);
  session.variables().initialise(1);
  const auto plan = runtime::lower(graph, batch, ops::kernels());
  std::vector<std::vector<std::uint32_t>> values;
  for (const runtime::PlanInput& input : plan->inputs) {
    const std::uint32_t word = input.dtype == DType::f32 ? std::bit_cast<std::uint32_t>(0.25F) : 0;
    values.emplace_back(input.bytes / sizeof(std::uint32_t), word);
  }
  std::vector<runtime::Feed> feeds;
  for (std::size_t i = 0; i < values.size(); ++i)
    feeds.push_back({plan->inputs[i].name, std::as_bytes(std::span(values[i]))});
  session.run(program, {.batch = batch, .feeds = feeds, .fetches = {}, .random = {.seed = 1}, .stop = {}});
}

}  // namespace

TEST_CASE("of a model that is right by check, a step runs") {
  const std::uint64_t seed = number_from("GRAPHRUN_SEED", 1);
  const std::uint64_t count = number_from("GRAPHRUN_MODELS", 150);
  std::size_t right = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string text = ModelDraw(seed * 1000003 + i).text();
    INFO("GRAPHRUN_SEED=" << seed << ", model " << i << ":\n" << text);
    const auto programs = checked(text);
    right += programs.empty() ? 0 : 1;
    for (const std::shared_ptr<const Graph>& program : programs) {
      for (const std::int64_t batch : {3, 1}) {
        try {
          run_step(program, batch);
        } catch (const Error& error) {  // values may be too large: that no check can know
          INFO(error.what());
          CHECK(error.code() == ErrorCode::not_finite);
        }
      }
    }
  }
  INFO("right models: " << right << " of " << count);
  CHECK(right * 6 > count);
}
