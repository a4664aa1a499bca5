// What a host learns with the public interface: phases, stops, states that go on to the same bits.
#include <algorithm>

#include "files/file.hpp"
#include "graphrun/graphrun.hpp"
#include "tests/api/small_session.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/learn/checkpoint.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/phases.hpp"

using namespace graphrun;
using namespace graphrun::testing::api;
using graphrun::testing::TemporaryFolder;
using graphrun::testing::throws;

TEST_CASE("a session that is saved and loaded continues to the same bits") {
  const std::vector<float> images = make_images(64);
  const TemporaryFolder folder;
  const std::string path = folder / "weights.safetensors";
  Session first(small_model(), one_thread());
  for (int step = 0; step < 5; ++step) first.train_step({{"x", images}});
  first.save(path);
  for (int step = 0; step < 5; ++step) first.train_step({{"x", images}});

  Session second(small_model(), one_thread());
  second.load(path);
  CHECK(second.steps() == 5);
  for (int step = 0; step < 5; ++step) second.train_step({{"x", images}});
  CHECK(second.digest() == first.digest());

  Session other(small_model({"hidden=16"}), one_thread());
  const std::string before = other.digest();
  CHECK(throws([&] { other.load(path); }, ErrorCode::data, "in the file and"));
  CHECK(other.digest() == before);
  CHECK(throws([&] { other.load(folder / "absent.safetensors"); }, ErrorCode::io, "absent.safetensors"));
  CHECK(throws([&] { first.save("/proc/none/weights"); }, ErrorCode::io, "/proc/none"));
}

TEST_CASE("a state goes through memory as through a file, and damage is found") {
  const std::vector<float> images = make_images(64);
  Session first(small_model(), one_thread());
  for (int step = 0; step < 3; ++step) first.train_step({{"x", images}});
  std::vector<std::byte> bytes = first.save();
  const TemporaryFolder folder;
  first.save(folder / "a.safetensors");
  const files::Bytes file = files::read_file(folder / "a.safetensors", std::uint64_t{1} << 30);
  CHECK(std::ranges::equal(bytes, std::as_bytes(std::span(file))));
  Session second(small_model(), one_thread());
  second.load(bytes);
  CHECK(second.steps() == 3);
  CHECK(Weights::load(small_model(), bytes).digest() == first.digest());
  for (Session* session : {&first, &second}) session->train_step({{"x", images}});
  CHECK(second.digest() == first.digest());

  const std::string before = second.digest();
  CHECK(
      throws([&] { second.load(std::span(bytes).first(bytes.size() - 1)); }, ErrorCode::data, "checkpoint"));
  CHECK(throws([&] { second.load(std::span(bytes).first(4)); }, ErrorCode::data, "less than 8 bytes"));
  bytes[bytes.size() - 10] ^= std::byte{1};
  CHECK(throws([&] { second.load(bytes); }, ErrorCode::data, "is damaged"));
  CHECK(throws([&] { Weights::load(small_model(), bytes); }, ErrorCode::data, "is damaged"));
  CHECK(second.digest() == before);
}

namespace {

/// Layers one by one, then all of it twice from there, on some of the examples.
constexpr const char* in_phases =
    "seed: 5, phases: [{name: layers, greedy: {encoder: [enc, code], decoder: [dec, recon]}, epochs: 1}, "
    "{name: fine, start: layers, epochs: 2, draws: 2, subset: {sample: 40}}]";

Model model_learning(const std::string& train) {
  return Model::parse(graphrun::testing::small_model(train), "small.yaml");
}

}  // namespace

TEST_CASE("a host learns in phases as the command does") {
  const std::vector<float> images = make_images(80);
  train::Learner learner(train::parse_definition(graphrun::testing::small_model(in_phases), "small.yaml"),
                         {});
  const train::Examples examples{
      .count = 80,
      .columns = {{"x", {train::ColumnKind::f32_values, 784, std::as_bytes(std::span(images))}}},
      .owner = {}};
  train::PhaseObserver nobody;
  train::Phases(learner, examples).run(nobody, {}, {});

  Session session(model_learning(in_phases), one_thread());
  std::vector<std::string> phases;
  std::vector<std::uint64_t> steps;
  session.fit({{"x", images}},
              {.on_epoch = [&](const EpochReport& report) { phases.push_back(report.phase); },
               .on_step =
                   [&](std::uint64_t step, double loss) {
                     steps.push_back(step);
                     CHECK(loss > 0);
                   }});
  CHECK(session.digest() == learner.digest());
  CHECK(phases == std::vector<std::string>{"layers, layer 1 of 2", "layers, layer 2 of 2",
                                           "fine, draw 1 of 2", "fine, draw 1 of 2", "fine, draw 2 of 2",
                                           "fine, draw 2 of 2"});
  CHECK(steps.size() == session.steps());
  CHECK(steps.back() == session.steps());
  session.fit({{"x", images}});  // all is learnt
  CHECK(session.digest() == learner.digest());
  CHECK(throws([&] { session.fit({{"x", images}}, {.epochs = 3}); }, ErrorCode::usage, "FitOptions::epochs"));
  CHECK(throws([&] { session.train_step({{"x", images}}); }, ErrorCode::usage, "single steps do not"));
}

TEST_CASE("phases start from weights that the host has set") {
  const std::vector<float> images = make_images(64);
  const std::string once = "seed: 5, phases: [{name: all, epochs: 1}]";
  Session session(model_learning(once), one_thread());
  Session other(model_learning(once), one_thread());
  const std::vector<float> mine(32, 10);
  session.set_parameter("enc.b", mine);
  for (Session* each : {&session, &other}) each->fit({{"x", images}});
  CHECK(session.parameter("enc.b").values.front() > 9);
  CHECK(other.parameter("enc.b").values.front() < 1);
}

TEST_CASE("learning stops by what validation examples say, with the best weights") {
  const std::vector<float> images = make_images(64);
  const std::vector<float> other(images.size(), 0.5F);
  const std::string patient = "seed: 5, epochs: 200, stop: {metric: psnr, best: highest, patience: 2}";
  Session session(model_learning(patient), one_thread());
  std::vector<double> seen;
  FitOptions options;
  options.validation = {{"x", other}};
  options.on_epoch = [&](const EpochReport& report) { seen.push_back(value_of(report.validation, "psnr")); };
  session.fit({{"x", images}}, options);
  REQUIRE(seen.size() < 200);
  const double best = *std::ranges::max_element(seen);
  CHECK(value_of(session.evaluate({{"x", other}}), "psnr") == best);
  CHECK(std::ranges::max_element(seen) == seen.end() - 3);

  options.validation.reset();
  Session alone(model_learning(patient), one_thread());
  CHECK(throws(
      [&] {
        alone.fit({{"x", images}}, options);
      },
      ErrorCode::usage, "give FitOptions::validation"));
  CHECK(alone.steps() == 0);
}

TEST_CASE("a stop ends a call that only measures or runs") {
  const std::vector<float> images = make_images(2000);
  Session session(small_model(), one_thread());
  std::stop_source source;
  source.request_stop();
  const Inputs inputs{{"x", images}};
  CHECK(throws([&] { session.evaluate(inputs, source.get_token()); }, ErrorCode::cancelled, ""));
  CHECK(throws([&] { session.encode(inputs, source.get_token()); }, ErrorCode::cancelled, ""));
  CHECK(throws([&] { session.reconstruct(inputs, source.get_token()); }, ErrorCode::cancelled, ""));
  CHECK(session.encode(inputs).shape == std::vector<std::int64_t>{2000, 2});
}

TEST_CASE("learning goes on from a checkpoint that stood in a phase or was stopped") {
  const std::vector<float> images = make_images(64);
  const TemporaryFolder folder;
  const std::string path = folder / "weights.safetensors";
  const train::SharedDefinition definition =
      train::parse_definition(graphrun::testing::small_model(), "small.yaml");
  train::Learner learner(definition, {});
  learner.initialise();
  learner.state().step = 20;
  learner.state().first_step = 20;
  learner.state().epoch = 3;
  learner.state().first_epoch = 3;
  learner.state().phase = "tuned";
  learner.state().ended = true;
  train::save_checkpoint(path, learner);
  Session session(small_model(), one_thread());
  session.load(path);
  FitOptions options;
  options.batch = 16;
  options.epochs = 1;
  session.fit({{"x", images}}, options);
  CHECK(session.steps() == 24);
  session.fit({{"x", images}}, options);
  CHECK(session.steps() == 28);
}

TEST_CASE("a single step is no epoch: until one is known, schedules in epochs stand at their beginning") {
  const std::vector<float> images = make_images(16);
  const Model scheduled = small_model({"train.optimizer.lr={cosine: {from: 0.01, to: 0, epochs: 5}}"});
  Session unknown(scheduled, one_thread());
  Session constant(small_model({"train.optimizer.lr=0.01"}), one_thread());
  for (int step = 0; step < 8; ++step) {
    unknown.train_step({{"x", images}});
    constant.train_step({{"x", images}});
  }
  CHECK(unknown.digest() == constant.digest());
  Session warm(small_model({"train.optimizer.lr={warmup: {to: 0.01, epochs: 5}}"}), one_thread());
  for (int step = 0; step < 8; ++step) warm.train_step({{"x", images}});
  CHECK(warm.digest() == constant.digest());

  SessionOptions options = one_thread();
  options.steps_per_epoch = 4;
  Session session(scheduled, options);
  std::string last;
  for (int step = 0; step < 20; ++step) {
    session.train_step({{"x", images}});
    CHECK(session.digest() != last);
    last = session.digest();
  }
  options.steps_per_epoch = 0;
  CHECK(throws([&] { Session(scheduled, options); }, ErrorCode::usage, "0 are not a number of steps"));
  // What fit has counted serves single steps too.
  FitOptions one_epoch;
  one_epoch.epochs = 1;
  unknown.fit({{"x", images}}, one_epoch);
  CHECK_NOTHROW(unknown.train_step({{"x", images}}));
}

TEST_CASE("a stop ends learning between two steps, and the session goes on") {
  const std::vector<float> images = make_images(64);
  Session session(small_model(), one_thread());
  std::stop_source source;
  FitOptions options;
  options.epochs = 1000;
  options.stop = source.get_token();
  options.on_epoch = [&](const EpochReport& report) {
    if (report.epoch == 3) source.request_stop();
  };
  CHECK(throws([&] { session.fit({{"x", images}}, options); }, ErrorCode::cancelled, "stopped after step 3"));
  CHECK(session.steps() == 3);
  options.stop = {};
  options.epochs = 2;
  session.fit({{"x", images}}, options);
  CHECK(session.steps() == 5);
  // Other examples and another batch size: two more epochs of seven batches.
  options.batch = 30;
  const std::vector<float> more = make_images(200);
  session.fit({{"x", more}}, options);
  CHECK(session.steps() == 19);
  session.fit({{"x", images}});
  CHECK(session.steps() == 21);
}

TEST_CASE("what a stop left of an epoch is over") {
  const std::vector<float> images = make_images(64);
  Session session(small_model(), one_thread());
  std::stop_source source;
  std::vector<std::int64_t> epochs;
  FitOptions options;
  options.epochs = 3;
  options.batch = 16;
  options.stop = source.get_token();
  options.on_step = [&](std::uint64_t step, double /*loss*/) {
    if (step == 6) source.request_stop();  // the second of the second epoch
  };
  options.on_epoch = [&](const EpochReport& report) { epochs.push_back(report.epoch); };
  CHECK(throws([&] { session.fit({{"x", images}}, options); }, ErrorCode::cancelled, "stopped after step 6"));
  options.stop = {};
  options.epochs = 1;
  session.fit({{"x", images}}, options);
  CHECK(epochs == std::vector<std::int64_t>{1, 3});
  CHECK(session.steps() == 10);
}

TEST_CASE("while layers are trained one by one the model is not measured") {
  const std::vector<float> images = make_images(80);
  Session session(model_learning(in_phases), one_thread());
  std::vector<std::size_t> measured;
  FitOptions options;
  options.validation = {{"x", images}};
  options.on_epoch = [&](const EpochReport& report) { measured.push_back(report.validation.size()); };
  session.fit({{"x", images}}, options);
  REQUIRE(measured.size() == 6);
  CHECK(measured[0] == 0);
  for (std::size_t i = 1; i < 6; ++i) CHECK(measured[i] > 0);
}
