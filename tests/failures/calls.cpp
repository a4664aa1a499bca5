// Every call of the public interface while an allocation of it fails, once or from there on: Error{memory},
// no abort, the state as it was, and the next call as if nothing had been.
#include <cmath>
#include <filesystem>
#include <functional>
#include <iostream>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "graphrun/graphrun.hpp"
#include "tests/failures/inject.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace graphrun;
using graphrun::testing::FailingAllocations;
using graphrun::testing::TemporaryFolder;

namespace {

constexpr const char* text = R"(graphrun: 1
name: small
inputs:
  x: {shape: [batch, 6]}
nodes:
  code:  {op: dense, in: x, units: 2, act: tanh}
  norm:  {op: batch_norm, in: code}
  recon: {op: dense, in: norm, units: 6, act: sigmoid}
outputs: {code: code, image: recon}
loss:
  reconstruction: {op: mse, in: [recon, x]}
train: {optimizer: {op: adam, lr: 1.0e-2}, batch: 8, epochs: 3, seed: 4}
)";

std::vector<float> examples() {
  std::vector<float> values(8 * 6);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(0.5 + 0.5 * std::sin(static_cast<double>(i)));
  }
  return values;
}

SessionOptions with(Executor executor) {
  SessionOptions options;
  options.executor = executor;
  options.threads = 2;
  return options;
}

/// Which allocations are made to fail: all in the long test; in the quick one the first few and, further on,
/// one in so many that it ends soon.
class Positions {
 public:
  explicit Positions(bool all) : all_(all) {}
  long after(long position) {
    if (all_ || position < 12) return position + 1;
    return position + 1 + static_cast<long>(random_() % static_cast<unsigned long>(position / 2));
  }

 private:
  bool all_;
  std::mt19937_64 random_{1};
};

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

void sweep_all(Executor executor, bool all) {
  Sweeps sweeps(all);
  const Model model = Model::parse(text);
  const std::vector<float> x = examples();
  const Inputs inputs = {{"x", x}};
  std::optional<Session> session;
  const auto fresh = [&] { session.emplace(model, with(executor)); };
  const auto learnt = [&] {
    fresh();
    session->train_step(inputs);
  };

  // The states after so many steps, of sessions in which nothing fails. An epoch is one step.
  constexpr std::int64_t steps = 3;
  const auto step = [&] { session->train_step(inputs); };
  const auto fit = [&](std::int64_t epochs, std::function<void(const EpochReport&)> on_epoch = {}) {
    FitOptions options;
    options.epochs = epochs;
    options.on_epoch = std::move(on_epoch);
    session->fit(inputs, options);
  };
  fresh();
  std::vector<std::string> digests = {session->digest()};
  std::vector<std::string> fitted = digests;
  for (int i = 0; i < steps; ++i) {
    step();
    digests.push_back(session->digest());
  }
  fresh();
  fit(steps, [&](const EpochReport&) { fitted.push_back(session->digest()); });
  REQUIRE(fitted.size() == digests.size());

  const auto steps_go_on = [&](bool) {
    REQUIRE(session->digest() == digests.at(session->steps()));
    while (session->steps() < steps) step();
    REQUIRE(session->digest() == digests.back());
  };
  const auto fit_goes_on = [&](bool) {
    REQUIRE(session->digest() == fitted.at(session->steps()));
    const auto done = static_cast<std::int64_t>(session->steps());
    if (done < steps) fit(steps - done);
    REQUIRE(session->digest() == fitted.back());
  };
  const auto after_one_step = [&](bool) {
    REQUIRE(session->steps() == 1);
    REQUIRE(session->digest() == digests[1]);
  };

  sweeps.run("parse", {[] {}, [] { static_cast<void>(Model::parse(text)); }, [](bool) {}});
  sweeps.run("Session",
             {[&] { session.reset(); }, fresh, [&](bool failed) { CHECK(failed == !session.has_value()); }});
  sweeps.run("train_step", {fresh, step, [&](bool failed) {
                              REQUIRE(session->steps() == (failed ? 0 : 1));
                              steps_go_on(failed);
                            }});
  sweeps.run("train_step again", {learnt, step, [&](bool failed) {
                                    REQUIRE(session->steps() == (failed ? 1 : 2));
                                    steps_go_on(failed);
                                  }});
  sweeps.run("fit", {fresh, [&] { fit(steps); }, fit_goes_on});

  Tensor codes;
  learnt();
  const Tensor expected_codes = session->encode(inputs);
  const double expected_loss = session->evaluate(inputs).front().value;
  const Tensor weights = session->parameter("code.w");
  sweeps.run("encode", {learnt, [&] { codes = session->encode(inputs); },
                        [&](bool failed) {
                          after_one_step(failed);
                          REQUIRE(session->encode(inputs).values == expected_codes.values);
                        }});
  sweeps.run("evaluate", {learnt, [&] { session->evaluate(inputs); },
                          [&](bool failed) {
                            after_one_step(failed);
                            REQUIRE(session->evaluate(inputs).front().value == expected_loss);
                          }});
  sweeps.run("parameter", {learnt, [&] { static_cast<void>(session->parameter("code.w")); }, after_one_step});
  sweeps.run("set_parameter",
             {learnt, [&] { session->set_parameter("code.w", weights.values); }, after_one_step});
  sweeps.run("digest", {learnt, [&] { static_cast<void>(session->digest()); }, after_one_step});

  const TemporaryFolder folder;
  const std::string good = folder / "good";
  const std::string path = folder / "state";
  learnt();
  session->save(good);
  sweeps.run("save", {learnt, [&] { session->save(path); },
                      [&](bool failed) {
                        after_one_step(failed);
                        if (failed) {
                          REQUIRE_FALSE(std::filesystem::exists(path));
                        } else {
                          Session other(model, with(executor));
                          other.load(path);
                          REQUIRE(other.digest() == digests[1]);
                        }
                        const auto entries = std::distance(std::filesystem::directory_iterator(folder.path()),
                                                           std::filesystem::directory_iterator());
                        REQUIRE(entries == (failed ? 1 : 2));
                        std::filesystem::remove(path);
                      }});
  sweeps.run("load", {fresh, [&] { session->load(good); },
                      [&](bool failed) {
                        REQUIRE(session->steps() == (failed ? 0 : 1));
                        steps_go_on(failed);
                      }});
}

}  // namespace

TEST_CASE("an allocation that fails is Error{memory}, and the state is whole") {
  sweep_all(Executor::serial, false);
  sweep_all(Executor::tbb, false);
}

TEST_CASE("each single allocation that fails is Error{memory}, and the state is whole", "[.][long]") {
  sweep_all(Executor::serial, true);
  sweep_all(Executor::threads, true);
  sweep_all(Executor::tbb, true);
}

TEST_CASE("a thread that cannot be started is Error{memory}") {
  const Model model = Model::parse(text);
  const std::vector<float> x = examples();
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
