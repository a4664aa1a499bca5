// Every call of the public interface while an allocation of it fails, once or from there on: Error{memory},
// no abort, the state as it was, and the next call as if nothing had been.
#include <filesystem>
#include <functional>
#include <iostream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "graphrun/graphrun.hpp"
#include "tests/failures/inject.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/six_numbers.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using graphrun::testing::contains;
using graphrun::testing::FailingAllocations;
using graphrun::testing::Positions;
using graphrun::testing::TemporaryFolder;

namespace {

const std::string text = testing::six_numbers_model(
    "  code:  {op: dense, in: x, units: 2, act: tanh}\n"
    "  norm:  {op: batch_norm, in: code}\n"
    "  recon: {op: dense, in: norm, units: 6, act: sigmoid}\n",
    "optimizer: {op: adam, lr: 1.0e-2}, batch: 8, epochs: 3");

SessionOptions with(Executor executor) {
  SessionOptions options;
  options.executor = executor;
  options.threads = 2;
  return options;
}

/// One call that is tried: what it needs is made anew each time, and `right` is asked after it, whether it
/// has failed or not.
struct Trial {
  std::function<void()> make;
  std::function<void()> call;
  std::function<void(bool failed)> right;
};

/// The number of positions that were tried.
int sweep(const Trial& trial, bool lasting, bool all) {
  Positions positions(all);
  int tried = 0;
  for (long nth = 1;; nth = positions.after(nth)) {
    CAPTURE(nth, lasting);
    trial.make();
    bool failed = false;
    ErrorCode code = ErrorCode::memory;
    long count = 0;
    {
      const FailingAllocations failing(nth, lasting);
      try {
        trial.call();
      } catch (const Error& error) {
        failed = true;
        code = error.code();
      }
      count = failing.count();
    }
    REQUIRE(code == ErrorCode::memory);
    trial.right(failed);
    if (count < nth) return tried;
    ++tried;
  }
}

class Sweeps {
 public:
  explicit Sweeps(bool all) : all_(all) {}

  void run(const char* name, const Trial& trial) {
    for (const bool lasting : {false, true}) {
      CAPTURE(name);
      const int tried = sweep(trial, lasting, all_);
      if (all_) std::cout << name << (lasting ? ", lasting: " : ", once: ") << tried << " positions\n";
    }
  }

 private:
  bool all_;
};

/// All calls of a session, each with a state before it that is known, and what must be true of the state
/// behind it.
class SessionSweeps {
 public:
  SessionSweeps(Executor executor, bool all) : executor_(executor), sweeps_(all) {}

  void run() {
    learn_without_failures();
    construct();
    learn();
    use();
    move_states();
  }

 private:
  void fresh() { session_.emplace(model_, with(executor_)); }
  void step() { session_->train_step(inputs_); }
  void learnt() {
    fresh();
    step();
  }
  /// An epoch is one step.
  void fit(std::int64_t epochs, std::function<void(const EpochReport&)> on_epoch = {}) {
    FitOptions options;
    options.epochs = epochs;
    options.on_epoch = std::move(on_epoch);
    session_->fit(inputs_, options);
  }

  void learn_without_failures() {
    fresh();
    digests_ = {session_->digest()};
    fitted_ = digests_;
    for (int i = 0; i < steps; ++i) {
      step();
      digests_.push_back(session_->digest());
    }
    fresh();
    fit(steps, [&](const EpochReport&) { fitted_.push_back(session_->digest()); });
    REQUIRE(fitted_.size() == digests_.size());
  }

  void steps_go_on() {
    REQUIRE(session_->digest() == digests_.at(session_->steps()));
    while (session_->steps() < steps) step();
    REQUIRE(session_->digest() == digests_.back());
  }
  void fit_goes_on() {
    REQUIRE(session_->digest() == fitted_.at(session_->steps()));
    const auto done = static_cast<std::int64_t>(session_->steps());
    if (done < steps) fit(steps - done);
    REQUIRE(session_->digest() == fitted_.back());
  }
  void stands_after_one_step() {
    REQUIRE(session_->steps() == 1);
    REQUIRE(session_->digest() == digests_[1]);
  }

  void construct() {
    sweeps_.run("parse", {[] {}, [] { static_cast<void>(Model::parse(text)); }, [](bool) {}});
    sweeps_.run("Session", {[&] { session_.reset(); }, [&] { fresh(); },
                            [&](bool failed) { CHECK(failed == !session_.has_value()); }});
  }

  void learn() {
    sweeps_.run("train_step", {[&] { fresh(); }, [&] { step(); },
                               [&](bool failed) {
                                 REQUIRE(session_->steps() == (failed ? 0 : 1));
                                 steps_go_on();
                               }});
    sweeps_.run("train_step again", {[&] { learnt(); }, [&] { step(); },
                                     [&](bool failed) {
                                       REQUIRE(session_->steps() == (failed ? 1 : 2));
                                       steps_go_on();
                                     }});
    sweeps_.run("fit", {[&] { fresh(); }, [&] { fit(steps); }, [&](bool) { fit_goes_on(); }});
  }

  /// A call of a session that has learnt one step, which changes nothing.
  void call(const char* name, std::function<void()> tried) {
    sweeps_.run(name, {[&] { learnt(); }, std::move(tried), [&](bool) { stands_after_one_step(); }});
  }

  void use() {
    learnt();
    const Tensor codes = session_->encode(inputs_);
    const double loss = session_->evaluate(inputs_).front().value;
    const Tensor weights = session_->parameter("code.w");
    sweeps_.run("encode", {[&] { learnt(); }, [&] { static_cast<void>(session_->encode(inputs_)); },
                           [&](bool) {
                             stands_after_one_step();
                             REQUIRE(session_->encode(inputs_).values == codes.values);
                           }});
    sweeps_.run("evaluate", {[&] { learnt(); }, [&] { session_->evaluate(inputs_); },
                             [&](bool) {
                               stands_after_one_step();
                               REQUIRE(session_->evaluate(inputs_).front().value == loss);
                             }});
    call("parameter", [&] { static_cast<void>(session_->parameter("code.w")); });
    call("set_parameter", [&] { session_->set_parameter("code.w", weights.values); });
    call("digest", [&] { static_cast<void>(session_->digest()); });
  }

  void move_states() {
    const TemporaryFolder folder;
    const std::string good = folder / "good";
    const std::string path = folder / "state";
    learnt();
    session_->save(good);
    sweeps_.run("save", {[&] { learnt(); }, [&] { session_->save(path); },
                         [&](bool failed) { check_saved(folder, path, failed); }});
    sweeps_.run("load", {[&] { fresh(); }, [&] { session_->load(good); },
                         [&](bool failed) {
                           REQUIRE(session_->steps() == (failed ? 0 : 1));
                           steps_go_on();
                         }});
  }

  /// The file is there as a whole, or nothing of it, and no other is left beside the good one.
  void check_saved(const TemporaryFolder& folder, const std::string& path, bool failed) {
    stands_after_one_step();
    REQUIRE(std::filesystem::exists(path) != failed);
    if (!failed) {
      Session other(model_, with(executor_));
      other.load(path);
      REQUIRE(other.digest() == digests_[1]);
    }
    const auto entries = std::distance(std::filesystem::directory_iterator(folder.path()),
                                       std::filesystem::directory_iterator());
    REQUIRE(entries == (failed ? 1 : 2));
    std::filesystem::remove(path);
  }

  static constexpr std::int64_t steps = 3;
  Executor executor_;
  Sweeps sweeps_;
  Model model_ = Model::parse(text);
  std::vector<float> x_ = testing::six_numbers(8);
  Inputs inputs_ = {{"x", x_}};
  std::optional<Session> session_;
  std::vector<std::string> digests_;  ///< after so many steps
  std::vector<std::string> fitted_;   ///< after so many epochs
};

/// All that is said of a call while one allocation of it fails, each in turn.
std::string said_of(const std::function<void()>& make, const std::function<void()>& call) {
  std::set<std::string> texts;
  for (long nth = 1;; ++nth) {
    make();
    long count = 0;
    {
      const FailingAllocations failing(nth);
      try {
        call();
      } catch (const Error& error) {
        texts.insert(error.what());
      }
      count = failing.count();
    }
    if (count < nth) break;
  }
  std::string all;
  for (const std::string& said : texts) all += said + "\n";
  return all;
}

}  // namespace

TEST_CASE("what memory is lacking for is said, where it is known") {
  const Model model = Model::parse(text);
  const std::vector<std::uint8_t> pixels(8 * 6, 100);
  const Inputs inputs = {{"x", pixels}};
  std::optional<Session> session;
  const auto fresh = [&] { session.emplace(model, with(Executor::serial)); };
  fresh();  // tables that a process makes but once
  const std::string making = said_of([&] { session.reset(); }, fresh);
  INFO(making);
  CHECK(contains(making,
                 "error: node 'code.w': there is not enough memory for its 48 bytes, beside 0 of other "
                 "variables; fewer units need less\n"));
  const std::string learning = said_of(fresh, [&] { session->train_step(inputs); });
  INFO(learning);
  CHECK(contains(learning, "there is not enough memory to compile the "));
  CHECK(contains(learning, " nodes of 'small'\n"));
  CHECK(contains(learning, "there is not enough memory to plan a batch of 8; a smaller one needs less\n"));
  CHECK(contains(learning, " bytes of memory for the workspace; a smaller batch needs less\n"));
  CHECK(contains(learning,
                 "there is not enough memory for the 192 bytes of a batch of 8; a smaller one needs less"));
  const Weights weights = session->weights();
  std::optional<Predictor> predictor;
  const std::string predicting =
      said_of([&] { predictor.emplace(model, weights); }, [&] { predictor->prepare(8, 1); });
  INFO(predicting);
  CHECK(contains(predicting, "there is not enough memory to plan 8 rows; fewer need less\n"));
}

TEST_CASE("an allocation that fails within a primitive of oneDNN is Error{memory}") {
  const Model model = Model::parse(text);
  const std::vector<std::uint8_t> pixels(8 * 6, 100);
  const Inputs inputs = {{"x", pixels}};
  SessionOptions options = with(Executor::serial);
  options.provider = Provider::onednn;
  std::optional<Session> session;
  const auto step = [&] { session->train_step(inputs); };
  const auto begin = [&] {
    session.emplace(model, options);
    step();
  };
  begin();  // tables that a process makes but once
  const std::string said = said_of(begin, step);
  INFO(said);
  CHECK(contains(said, "oneDNN could not run a product: there is not enough memory"));
}

TEST_CASE("an allocation that fails is Error{memory}, and the state is whole") {
  SessionSweeps(Executor::serial, false).run();
  SessionSweeps(Executor::tbb, false).run();
}

TEST_CASE("each single allocation that fails is Error{memory}, and the state is whole", "[.][long]") {
  SessionSweeps(Executor::serial, true).run();
  SessionSweeps(Executor::threads, true).run();
  SessionSweeps(Executor::tbb, true).run();
}

TEST_CASE("a thread that cannot be started is Error{memory}") {
  const Model model = Model::parse(text);
  const std::vector<float> x = testing::six_numbers(8);
  for (const Executor executor : {Executor::threads, Executor::tbb}) {
    Session reference(model, with(executor));
    reference.train_step({{"x", x}});
    for (const bool lasting : {false, true}) {
      for (long nth = 1; nth <= 6; ++nth) {
        CAPTURE(nth, lasting);
        SessionOptions options = with(executor);
        options.threads = 4;
        bool failed = false;
        try {
          const graphrun::testing::FailingThreads failing(nth, lasting);
          Session session(model, options);
          session.train_step({{"x", x}});
          CHECK(session.digest() == reference.digest());
        } catch (const Error& error) {
          failed = true;
          CHECK(error.code() == ErrorCode::memory);
        }
        if (executor == Executor::threads) CHECK(failed == (nth <= 3));
        Session session(model, with(executor));
        session.train_step({{"x", x}});
        REQUIRE(session.digest() == reference.digest());
      }
    }
  }
}
