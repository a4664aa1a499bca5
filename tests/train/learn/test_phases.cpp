// Phases on a small model: where each begins, what it learns, and that stopping anywhere changes no bit.
#include <filesystem>
#include <random>
#include <set>

#include "tests/support/catch.hpp"
#include "tests/support/phased_model.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/learn/checkpoint.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/phases.hpp"

using namespace graphrun;
using namespace graphrun::testing;
using namespace graphrun::train;

namespace {

/// Greedy layers with noise, a phase over a few draws, its pairs from the first weights, steps that
/// alternate.
const char* const everything =
    "  phases:\n"
    "    - name: layers\n"
    "      greedy: {encoder: [enc, code], decoder: [dec, recon], corrupt: {op: masking, amount: 0.25}}\n"
    "      subset: {first: 200}\n"
    "      epochs: 2\n"
    "    - name: tuned\n"
    "      train: [enc, code, logits]\n"
    "      loss: [class]\n"
    "      subset: {first: 500, sample: 100, balanced: true}\n"
    "      epochs: 2\n"
    "      draws: 3\n"
    "    - {name: scratch, same_as: tuned, start: init}\n"
    "    - name: both\n"
    "      start: layers\n"
    "      subset: {first: 300}\n"
    "      steps: 13\n"
    "      alternate:\n"
    "        - {train: [enc, code, dec, recon], loss: [reconstruction]}\n"
    "        - {train: [enc, code, logits], loss: [class], every: 3}\n";

SharedDefinition phased(const std::string& train, const std::string& metrics = "") {
  return parse_definition(phased_model(train, metrics), "phased.yaml");
}

struct Data {
  explicit Data(const SharedDefinition& model)
      : set(load_model_data(*model)),
        train(bind_images(*model, std::make_shared<const ImageSet>(set.train))),
        test(bind_images(*model, std::make_shared<const ImageSet>(set.test))) {}
  Dataset set;
  Examples train;
  Examples test;
};

Learner make_learner(const SharedDefinition& model, int threads = 1) {
  runtime::SessionOptions options;
  options.executor = threads == 1 ? runtime::ExecutorKind::serial : runtime::ExecutorKind::threads;
  options.threads = threads;
  return Learner(model, options);
}

std::string learnt(const SharedDefinition& model, const Data& data) {
  Learner learner = make_learner(model);
  PhaseObserver nobody;
  REQUIRE(Phases(learner, data.train).run(nobody, {}, {}) == LoopEnd::finished);
  return learner.digest();
}

class Stopper final : public PhaseObserver {
 public:
  explicit Stopper(std::uint64_t at) : at_(at) {}
  void on_stage(const StageView&) override {
    if (at_ == 0) source_.request_stop();
  }
  void on_step(const StageView&, const StepReport& report) override {
    if (report.state.step == at_) source_.request_stop();
  }
  std::stop_token token() const { return source_.get_token(); }

 private:
  std::uint64_t at_;
  std::stop_source source_;
};

/// Keeps what it is told.
class Recorder final : public PhaseObserver {
 public:
  void on_stage(const StageView& stage) override { stages.push_back(stage.name); }
  void on_epoch(const StageView& stage, const EpochSummary& report, bool last) override {
    figures.push_back(report.train);
    if (last) lasts.push_back(stage.name);
  }
  std::vector<std::string> stages;
  std::vector<std::string> lasts;
  std::vector<Figures> figures;
};

}  // namespace

TEST_CASE("phases become stages: draws one after the other, layers within them") {
  const SharedDefinition model = phased(everything);
  std::vector<std::string> names;
  for (const Stage& stage : stages_of(*model->train)) names.push_back(name_of(*model->train, stage));
  CHECK(names == std::vector<std::string>{"layers, layer 1 of 3", "layers, layer 2 of 3",
                                          "layers, layer 3 of 3", "tuned, draw 1 of 3", "tuned, draw 2 of 3",
                                          "tuned, draw 3 of 3", "scratch, draw 1 of 3",
                                          "scratch, draw 2 of 3", "scratch, draw 3 of 3", "both"});
  const SharedDefinition plain = phased("  epochs: 2\n");
  REQUIRE(stages_of(*plain->train).size() == 1);
  CHECK(name_of(*plain->train, stages_of(*plain->train).front()).empty());
}

TEST_CASE("all stages run in order, and each reports its last epoch once") {
  const SharedDefinition model = phased(everything);
  const Data data(model);
  Learner learner = make_learner(model);
  Recorder recorder;
  Phases phases(learner, data.train);
  // 3 layers of 2 epochs of 4 batches, 6 draws of 2 epochs of 2 batches, 13 steps.
  CHECK(phases.total_steps() == 3 * 2 * 4 + 6 * 2 * 2 + 13);
  CHECK(phases.figures() == std::vector<std::string>{"loss", "class", "reconstruction"});
  REQUIRE(phases.run(recorder, {}, {}) == LoopEnd::finished);
  CHECK(learner.state().step == phases.total_steps());
  CHECK(recorder.stages.size() == 10);
  CHECK(recorder.lasts == recorder.stages);
  CHECK(learner.kept().empty());  // nothing begins from a phase any more
  // 13 steps of five batches an epoch: the last report is of a part of one.
  CHECK(recorder.figures.back().count == 3 * 64);
}

TEST_CASE("a run with phases that is stopped anywhere and continued gives the same bits") {
  const SharedDefinition model = phased(everything);
  const Data data(model);
  Learner uninterrupted = make_learner(model);
  PhaseObserver nobody;
  Phases whole(uninterrupted, data.train);
  REQUIRE(whole.run(nobody, {}, {}) == LoopEnd::finished);
  std::random_device device;
  const std::uint64_t seed = device();
  std::mt19937_64 random(seed);
  INFO("seed " << seed);
  const TemporaryFolder folder;
  // Somewhere in each kind of stage: layers, draws, the other draws, alternation; and wherever.
  for (const std::uint64_t stop_at :
       {std::uint64_t{11}, std::uint64_t{16}, std::uint64_t{31}, std::uint64_t{42}, std::uint64_t{55},
        1 + random() % (whole.total_steps() - 1)}) {
    INFO("stopped after step " << stop_at);
    Learner first = make_learner(model);
    Stopper stopper(stop_at);
    REQUIRE(Phases(first, data.train).run(stopper, {}, stopper.token()) == LoopEnd::stopped);
    REQUIRE(first.state().step == stop_at);
    const std::filesystem::path file = folder / "stopped.safetensors";
    save_checkpoint(file, first);
    Learner second = make_learner(model, 3);
    Phases rest(second, data.train);
    restore(second, Checkpoint(file));
    CHECK(second.kept() == first.kept());
    REQUIRE(rest.run(nobody, {}, {}) == LoopEnd::finished);
    CHECK(second.digest() == uninterrupted.digest());
    CHECK(second.state().updates == uninterrupted.state().updates);
    CHECK(second.state().epoch_sums == uninterrupted.state().epoch_sums);
    CHECK(second.state().figure_rows == uninterrupted.state().figure_rows);
  }
}

TEST_CASE("a run that is stopped before its first step goes on with the weights it was given") {
  const SharedDefinition model = phased("  epochs: 2\n");
  const Data data(model);
  Learner other = make_learner(model);
  other.initialise_again(99);
  const auto begun_with_others = [&] {
    Learner learner = make_learner(model);
    learner.kept()[kept_init] = other.weights();
    return learner;
  };
  PhaseObserver nobody;
  Learner uninterrupted = begun_with_others();
  REQUIRE(Phases(uninterrupted, data.train).run(nobody, {}, {}) == LoopEnd::finished);
  CHECK(uninterrupted.digest() != learnt(model, data));
  Learner first = begun_with_others();
  Stopper stopper(0);
  REQUIRE(Phases(first, data.train).run(stopper, {}, stopper.token()) == LoopEnd::stopped);
  REQUIRE(first.state().step == 0);
  const TemporaryFolder folder;
  save_checkpoint(folder / "stopped.safetensors", first);
  Learner second = make_learner(model);
  Phases rest(second, data.train);
  restore(second, Checkpoint(folder / "stopped.safetensors"));
  REQUIRE(rest.run(nobody, {}, {}) == LoopEnd::finished);
  CHECK(second.digest() == uninterrupted.digest());
}

TEST_CASE("max_steps ends a run within any phase, and it can go on") {
  const SharedDefinition model = phased(everything);
  const Data data(model);
  Learner learner = make_learner(model);
  PhaseObserver nobody;
  Phases phases(learner, data.train);
  for (const std::uint64_t until : {3, 24, 30, 60})
    REQUIRE((phases.run(nobody, until, {}) == LoopEnd::finished && learner.state().step == until));
  REQUIRE(phases.run(nobody, {}, {}) == LoopEnd::finished);
  CHECK(learner.digest() == learnt(model, data));
}

TEST_CASE("a single named phase learns what the same keys without phases do") {
  const SharedDefinition plain = phased("  epochs: 2\n");
  const Data data(plain);
  CHECK(learnt(phased("  phases: [{name: only, epochs: 2}]\n"), data) == learnt(plain, data));
}

TEST_CASE("a phase begins where it says") {
  const std::string first = "  epochs: 1\n  phases:\n    - {name: first, loss: [reconstruction]}\n";
  const SharedDefinition model = phased(first);
  const Data data(model);
  const SharedDefinition alone = phased("  epochs: 1\n  loss: [class]\n");
  // From the first weights, with a fresh optimizer: as if nothing had been before.
  CHECK(learnt(phased(first + "    - {name: second, loss: [class], start: init}\n"), data) ==
        learnt(alone, data));
  const std::string after = learnt(phased(first + "    - {name: second, loss: [class]}\n"), data);
  CHECK(after != learnt(alone, data));
  // Where the last ended is where `start` says that it ended, also after something else.
  CHECK(learnt(phased(first + "    - {name: other, loss: [class], train: [logits]}\n"
                              "    - {name: second, loss: [class], start: first}\n"),
               data) == after);
}

TEST_CASE("the optimizer of a phase is fresh") {
  const SharedDefinition model =
      phased("  phases: [{name: first, epochs: 1}, {name: second, epochs: 1, start: init}]\n");
  const Data data(model);
  CHECK(learnt(model, data) == learnt(phased("  epochs: 1\n"), data));
}

TEST_CASE("a phase learns only what it names") {
  const SharedDefinition model = phased("  epochs: 1\n  train: [code, logits]\n");
  const Data data(model);
  Learner learner = make_learner(model);
  learner.initialise();
  const Learner::Weights before = learner.weights();
  PhaseObserver nobody;
  Phases(learner, data.train).run(nobody, {}, {});
  std::set<std::string> changed;
  for (const auto& [name, values] : learner.weights())
    if (values != before.at(name)) changed.insert(name);
  CHECK(changed == std::set<std::string>{"code.b", "code.w", "logits.b", "logits.w"});
}

TEST_CASE("resuming tells when the phases are others now") {
  const SharedDefinition model = phased(everything);
  const Data data(model);
  Learner learner = make_learner(model);
  Phases phases(learner, data.train);
  learner.state().step = 1;
  learner.state().phase = "gone";
  PhaseObserver nobody;
  CHECK(throws([&] { phases.run(nobody, {}, {}); }, ErrorCode::usage, "the run stands in phase 'gone'"));
}

TEST_CASE("a subset is told wrong before anything is learnt") {
  const Data data(phased("  epochs: 1\n"));
  const auto refused = [&](const std::string& subset, const std::string& message) {
    const SharedDefinition model = phased("  epochs: 1\n  subset: " + subset + "\n");
    Learner learner = make_learner(model);
    return throws([&] { Phases(learner, data.train); }, ErrorCode::usage, message);
  };
  CHECK(refused("{first: 1001}", "the first 1001 examples are asked for, but there are only 1000"));
  CHECK(refused("{sample: 2000}", "2000 examples are asked for, but there are only 1000"));
  CHECK(refused("{sample: 33, balanced: true}",
                "33 examples cannot be shared equally among 10 labels; 40 can"));
  CHECK(
      refused("{first: 50, sample: 50, balanced: true}", "5 examples of each label are asked for, but only"));
}
