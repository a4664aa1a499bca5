// Batches in shards: the same bits at any number of threads and members, and nearly those of a whole batch.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/support/catch.hpp"
#include "tests/support/folders.hpp"
#include "tests/support/small_model.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thread_team.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/learn/checkpoint.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/phases.hpp"

using namespace graphrun;
using namespace graphrun::testing;
using namespace graphrun::train;

namespace {

runtime::SessionOptions with_threads(int threads) {
  runtime::SessionOptions options;
  options.executor = threads == 1 ? runtime::ExecutorKind::serial : runtime::ExecutorKind::threads;
  options.threads = threads;
  return options;
}

/// What a few steps and a measurement give.
struct Learnt {
  std::string digest;
  Learner::Weights weights;
  double loss = 0;
  bool operator==(const Learnt& other) const { return digest == other.digest && loss == other.loss; }
};

Learnt learn(const SharedDefinition& model, const Examples& examples, const Examples& test, int threads,
             std::uint64_t steps, std::shared_ptr<runtime::Team> team = nullptr) {
  Learner learner(model, with_threads(threads));
  if (team) learner.join(std::move(team));
  Phases phases(learner, examples);
  PhaseObserver nobody;
  phases.run(nobody, steps, {});
  const double loss = learner.evaluate(test).at("loss");
  return {learner.digest(), learner.weights(), loss};
}

/// The same by a team of threads; all members must come to the same.
Learnt learn_together(const SharedDefinition& model, const Examples& examples, const Examples& test,
                      int members, std::uint64_t steps) {
  std::mutex mutex;
  std::vector<Learnt> results;
  ThreadTeam(members).run([&](std::shared_ptr<runtime::Team> team) {
    Learnt learnt = learn(model, examples, test, 1, steps, std::move(team));
    const std::lock_guard lock(mutex);
    results.push_back(std::move(learnt));
  });
  for (const Learnt& each : results) REQUIRE(each == results.front());
  return results.front();
}

double largest_difference(const Learner::Weights& a, const Learner::Weights& b) {
  double largest = 0;
  for (const auto& [name, values] : a)
    for (std::size_t i = 0; i < values.size(); ++i)
      largest =
          std::max(largest, std::abs(static_cast<double>(values[i]) - static_cast<double>(b.at(name)[i])));
  return largest;
}

/// A bundled model on the images in the repository.
SharedDefinition bundled(const std::string& name, std::vector<std::string> settings) {
  return load_definition(in_source("/models/" + name + ".yaml"), settings);
}

struct Case {
  const char* name;
  std::vector<std::string> settings;
  double tolerance;  ///< of weights, between one shard and four
};

}  // namespace

TEST_CASE("a batch is cut into shards that differ by one row at most") {
  std::int64_t next = 0;
  for (std::int64_t shard = 0; shard < 4; ++shard) {
    const runtime::ShardRange rows = runtime::rows_of_shard(10, 4, shard);
    CHECK(rows.begin == next);
    CHECK(rows.count == (shard < 2 ? 3 : 2));
    next += rows.count;
  }
  CHECK(next == 10);
  CHECK(runtime::rows_of_shard(3, 4, 3).count == 0);
  next = 0;
  for (int member = 0; member < 3; ++member) {
    const runtime::ShardRange rows = runtime::rows_of_member(10, 4, member, 3);
    CHECK(rows.begin == next);
    next += rows.count;
  }
  CHECK(next == 10);
}

TEST_CASE("bundled models learn the same bits in shards at any number of threads and members") {
  const Case chosen = GENERATE(values<Case>({
      {"autoencoder", {}, 1e-5},
      {"stacked_ae", {"train.phases.layers.epochs=1"}, 1e-5},
      {"vae", {}, 1e-4},
      {"convolutional", {}, 1e-3},
      {"gan", {}, 1e-3},
      {"vq_vae", {}, 1e-3},
      {"tied", {}, 1e-5},
      {"wgan_gp", {}, 1e-3},
      {"wasserstein_ae", {"train.gather_rows=true", "train.partial=keep"}, 1e-3},
  }));
  INFO(chosen.name);
  std::vector<std::string> settings = chosen.settings;
  const SharedDefinition whole = bundled(chosen.name, settings);
  settings.emplace_back("train.shards=4");
  const SharedDefinition model = bundled(chosen.name, settings);
  const Dataset data = load_model_data(*whole);
  Examples examples = first_of(bind_images(*whole, std::make_shared<const ImageSet>(data.train)), 330);
  const Examples test = first_of(bind_images(*whole, std::make_shared<const ImageSet>(data.test)), 200);
  const std::uint64_t steps = 4;
  const Learnt expected = learn(model, examples, test, 1, steps);
  CHECK(learn(model, examples, test, 2, steps) == expected);
  for (const int members : {2, 3, 4}) {
    INFO(members << " members");
    CHECK(learn_together(model, examples, test, members, steps) == expected);
  }
  const Learnt at_once = learn(whole, examples, test, 1, steps);
  CHECK(largest_difference(at_once.weights, expected.weights) < chosen.tolerance);
}

TEST_CASE("bundled models learn the same bits with 1 to 16 threads", "[.][long]") {
  using Size = std::pair<const char*, std::int64_t>;
  const auto [name, batch] = GENERATE(values<Size>({{"autoencoder", 64},
                                                    {"autoencoder", 1024},
                                                    {"deep_ae", 128},
                                                    {"deep_ae", 1024},
                                                    {"convolutional", 256}}));
  const SharedDefinition model = bundled(name, {"train.batch=" + std::to_string(batch)});
  const Dataset data = load_model_data(*model);
  const Examples examples =
      first_of(bind_images(*model, std::make_shared<const ImageSet>(data.train)), batch);
  const Examples test = first_of(bind_images(*model, std::make_shared<const ImageSet>(data.test)), 200);
  const Learnt expected = learn(model, examples, test, 1, 3);
  for (int threads = 2; threads <= 16; ++threads) {
    CAPTURE(name, batch, threads);
    CHECK(learn(model, examples, test, threads, 3) == expected);
  }
}

TEST_CASE("the last batch of an epoch may have fewer rows than shards") {
  const SharedDefinition model = parse_definition(small_model("epochs: 2, shards: 4"), "small.yaml");
  const Dataset data = load_model_data(*model);
  const Examples examples = first_of(bind_images(*model, std::make_shared<const ImageSet>(data.train)), 130);
  const Learnt expected = learn(model, examples, examples, 1, 6);
  for (const int members : {2, 3, 4}) {
    INFO(members << " members");
    CHECK(learn_together(model, examples, examples, members, 6) == expected);
  }
}

TEST_CASE("a node that mixes rows of a batch is named where the batch is to be cut") {
  const auto mixing = [](const std::string& formula) {
    const std::string text =
        "graphrun: 1\nname: mixing\ninputs: {x: {shape: [batch, 3]}}\nnodes:\n"
        "  w: {op: param, shape: [3], init: ones}\n  y: " +
        formula +
        "\nloss: {all: mean(y)}\n"
        "train: {optimizer: {op: sgd, lr: 0.1}, batch: 8, epochs: 1, shards: 2}\n";
    const SharedDefinition model = parse_definition(text, "mixing.yaml");
    Learner learner(model, {});
    learner.training_program();
  };
  CHECK(throws([&] { mixing("matmul(x * w, transpose(x))"); }, ErrorCode::model,
               "mixing.yaml:6:3: error: node 'y' (matmul)"));
  CHECK(
      throws([&] { mixing("matmul(x * w, transpose(x))"); }, ErrorCode::model, "Write `gather_rows: true`"));
  CHECK(throws([&] { mixing("max(x * w, axis=0)"); }, ErrorCode::model, "node 'y' (max): it mixes the rows"));
  CHECK(throws([&] { mixing("w * concat(x, x, axis=0)"); }, ErrorCode::model, "(concat): it mixes the rows"));
  CHECK(
      throws([&] { mixing("softmax(x * w, axis=0)"); }, ErrorCode::model, "it mixes the rows of the batch"));
  mixing("x * w - mean(x * w, axis=0)");
}

TEST_CASE("a node that mixes rows of a batch gets those of all shards where that is asked for") {
  const std::string formula =
      GENERATE("sum(matmul(x * w, transpose(x)), axis=1)", "x * w - max(x * w, axis=0)",
               "w * sum(concat(x, x, axis=0))", "softmax(x * w, axis=0) * x",
               "x * w * mean(matmul(x * w, transpose(x)), axis=1, keepdims=true)",
               "x * w - mean(max(x * w, axis=0) * (x * w), axis=0)");
  INFO(formula);
  const std::string text =
      "graphrun: 1\nname: mixing\ninputs: {x: {shape: [batch, 3]}}\nnodes:\n"
      "  w: {op: param, shape: [3], init: ones}\n  y: " +
      formula +
      "\nloss: {all: mean(y ** 2)}\n"
      "train: {optimizer: {op: sgd, lr: 0.01}, batch: 8, epochs: 1, gather_rows: true, shards: ";
  const auto step = [&](const std::string& shards, std::shared_ptr<runtime::Team> team, std::int64_t rows) {
    Learner learner(parse_definition(text + shards + "}\n", "mixing.yaml"), with_threads(1));
    learner.join(std::move(team));
    std::vector<float> figures(learner.training_figures().size());
    learner.initialise();
    std::vector<float> x;
    for (int i = 0; i < 3 * rows; ++i) x.push_back(std::sin(static_cast<float>(7 * i)));
    const runtime::ShardRange own = learner.own_rows(rows);
    const runtime::Feed feed{"x",
                             std::as_bytes(std::span(x).subspan(static_cast<std::size_t>(own.begin) * 3,
                                                                static_cast<std::size_t>(own.count) * 3))};
    learner.step(std::span(&feed, 1), rows, 0, figures);
    return Learnt{learner.digest(), learner.weights(), figures[0]};
  };
  for (const std::int64_t rows : {8, 7, 3}) {
    const Learnt expected = step("4", std::make_shared<runtime::Alone>(), rows);
    const Learnt at_once = step("1", std::make_shared<runtime::Alone>(), rows);
    CHECK(largest_difference(at_once.weights, expected.weights) < 1e-5);
    CHECK(std::abs(at_once.loss - expected.loss) < 1e-5 * (1 + std::abs(expected.loss)));
    for (const int members : {2, 3, 4}) {
      std::atomic<int> same = 0;
      ThreadTeam(members).run([&](std::shared_ptr<runtime::Team> team) {
        if (step("4", std::move(team), rows) == expected) ++same;
      });
      CHECK(same == members);
    }
  }
}

TEST_CASE("more members than shards are refused") {
  const SharedDefinition model = parse_definition(small_model("epochs: 1, shards: 2"), "small.yaml");
  CHECK(throws(
      [&] {
        ThreadTeam(3).run([&](std::shared_ptr<runtime::Team> team) {
          Learner learner(model, with_threads(1));
          learner.join(std::move(team));
          learner.training_program();
        });
      },
      ErrorCode::usage, "3 processes cannot share 2 shards"));
}

namespace {

/// The small model with other optimizers and losses: `from` is replaced in its text.
SharedDefinition small_with(const std::string& from, const std::string& to) {
  std::string text = small_model("epochs: 4, shards: 4");
  return parse_definition(text.replace(text.find(from), from.size(), to), "small.yaml");
}

struct Change {
  const char* from;
  const char* to;
};

}  // namespace

TEST_CASE("whatever is done with gradients of all weights, parts of them give the same bits") {
  const char* const optimizer = "{op: adam, lr: 2.0e-3}";
  const char* const loss = "  reconstruction: {op: mse, in: [recon, x]}\n";
  const Change change = GENERATE_COPY(values<Change>({
      {optimizer, "{op: adam, lr: 2.0e-3, clip_norm: 0.05}"},
      {optimizer, "{op: adamw, lr: 2.0e-3, clip_value: 1.0e-4, weight_decay: 0.1}"},
      {optimizer, "{op: sgd, lr: 0.1, momentum: 0.9, weight_decay: 0.01, clip_value: 1.0e-3, clip_norm: 1}"},
      {optimizer, "{op: nadam, lr: 2.0e-3}"},
      {optimizer, "{op: rmsprop, lr: 1.0e-3, momentum: 0.5}"},
      {optimizer, "{op: adagrad, lr: 1.0e-2}"},
      // Element by element, and in ways that need all of the weight, or of its gradient.
      {loss, "  decay: {of: sum(abs(enc.w)), weight: 1.0e-3}\n  fit: {op: mse, in: [recon, x]}\n"},
      {loss, "  wide: sum(transpose(enc.w) @ enc.w)\n  fit: {op: mse, in: [recon, x]}\n"},
      {loss, "  flat: sum(logsumexp(enc.w, axis=0))\n  fit: {op: mse, in: [recon, x]}\n"},
  }));
  INFO(change.to);
  const SharedDefinition model = small_with(change.from, change.to);
  const Dataset data = load_model_data(*model);
  const Examples examples = first_of(bind_images(*model, std::make_shared<const ImageSet>(data.train)), 200);
  const Learnt expected = learn(model, examples, examples, 2, 5);
  for (const int members : {2, 3}) {
    INFO(members << " members");
    CHECK(learn_together(model, examples, examples, members, 5) == expected);
  }
}

TEST_CASE("a member keeps its part of an optimizer's state, and a checkpoint holds all of it") {
  const TemporaryFolder folder;
  const SharedDefinition model = parse_definition(small_model("epochs: 4, shards: 4"), "small.yaml");
  const Dataset data = load_model_data(*model);
  const Examples examples = first_of(bind_images(*model, std::make_shared<const ImageSet>(data.train)), 200);
  const Learnt expected = learn(model, examples, examples, 1, 9);
  const auto go_on = [&](std::shared_ptr<runtime::Team> team, const char* from, const char* to,
                         std::uint64_t steps) {
    Learner learner(model, with_threads(1));
    learner.join(team);
    Phases phases(learner, examples);
    if (from != nullptr) restore(learner, Checkpoint(folder.path() / from));
    PhaseObserver nobody;
    phases.run(nobody, steps, {});
    const Learner::Weights slots = learner.collected_slots();
    if (team->member() == 0) save_checkpoint(folder.path() / to, learner, slots);
    const std::size_t own = learner.variables().find("adam/enc.w/m")->values.size();
    if (own > 784 * 32 / static_cast<std::size_t>(team->members()) + 16)
      throw std::runtime_error("a member keeps more than its part");
    return learner.digest();
  };
  ThreadTeam(3).run([&](std::shared_ptr<runtime::Team> team) { go_on(std::move(team), nullptr, "3", 3); });
  ThreadTeam(2).run([&](std::shared_ptr<runtime::Team> team) { go_on(std::move(team), "3", "6", 6); });
  CHECK(go_on(std::make_shared<runtime::Alone>(), "6", "9", 9) == expected.digest);
}

TEST_CASE("new weights are gathered while the next step begins, and all that looks at them waits") {
  const SharedDefinition model = parse_definition(small_model("epochs: 1, shards: 4"), "small.yaml");
  const Dataset data = load_model_data(*model);
  const Examples examples = first_of(bind_images(*model, std::make_shared<const ImageSet>(data.train)), 256);
  const Learnt expected = learn(model, examples, examples, 1, 4);
  ThreadTeam together(2);
  std::atomic<int> same = 0;
  together.run([&](std::shared_ptr<runtime::Team> team) {
    Learner learner(model, with_threads(2));
    learner.join(std::move(team));
    Phases phases(learner, examples);
    PhaseObserver nobody;
    phases.run(nobody, 4, {});
    if (learner.evaluate(examples).at("loss") == expected.loss && learner.digest() == expected.digest) ++same;
  });
  CHECK(same == 2);
  // Both members, the matrices behind the input and before the output, in all steps but the first.
  CHECK(together.single_waits() == 2 * 2 * 3);
}

TEST_CASE("a gradient that its owner alone sees not to be finite is reported by all members") {
  const SharedDefinition model = parse_definition(
      "graphrun: 1\nname: steep\ninputs: {x: {shape: [batch, 3]}}\nnodes:\n"
      "  w: {op: param, shape: [3, 4096], init: ones}\n"
      "  y: x @ sqrt(w)\n"
      "loss: {all: mean(y ** 2)}\n"
      "train: {optimizer: {op: adam, lr: 0.1}, batch: 8, epochs: 1, shards: 4}\n",
      "steep.yaml");
  std::atomic<int> told = 0;
  ThreadTeam(4).run([&](std::shared_ptr<runtime::Team> team) {
    Learner learner(model, with_threads(1));
    learner.join(std::move(team));
    learner.prepare_steps(8);
    std::vector<float> figures(learner.training_figures().size());
    learner.initialise();
    std::vector<float> weights(3 * 4096, 1.0F);
    weights[3 * 4096 - 5] = 0;
    learner.set_weights({{"w", weights}});
    const std::vector<float> rows(2 * 3, 0.5F);
    const runtime::Feed feed{"x", std::as_bytes(std::span(rows))};
    const auto error = thrown([&] { learner.step(std::span(&feed, 1), 8, 0, figures); });
    if (error && error->node() == "w" && learner.spoilt() != nullptr && *learner.spoilt() == "w") ++told;
  });
  CHECK(told == 4);
}

TEST_CASE("the first value that is not finite is named with its row in the batch") {
  const SharedDefinition model = parse_definition(small_model("epochs: 1, shards: 4"), "small.yaml");
  std::vector<float> pixels(64 * 784, 0.5F);
  pixels[50 * 784 + 7] = std::numeric_limits<float>::quiet_NaN();
  const auto step = [&](std::shared_ptr<runtime::Team> team) {
    Learner learner(model, with_threads(1));
    learner.join(std::move(team));
    std::vector<float> figures(learner.training_figures().size());
    learner.initialise();
    const runtime::ShardRange own = learner.own_rows(64);
    const runtime::Feed feed{
        "x", std::as_bytes(std::span(pixels).subspan(static_cast<std::size_t>(own.begin) * 784,
                                                     static_cast<std::size_t>(own.count) * 784))};
    const std::string before = learner.digest();
    const auto error = thrown([&] { learner.step(std::span(&feed, 1), 64, 0, figures); });
    REQUIRE(error.has_value());
    INFO(error->what());
    CHECK(error->code() == ErrorCode::not_finite);
    CHECK(std::string(error->what()).find("NaN at [50, 7]") != std::string::npos);
    CHECK(learner.digest() == before);
    CHECK(learner.state().step == 0);
  };
  step(std::make_shared<runtime::Alone>());
}
