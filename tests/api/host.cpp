// What a host may do to the library, and what of the host's comes through it.
#include <sys/wait.h>
#include <unistd.h>

#include <cfenv>
#include <cmath>
#include <future>
#include <thread>

#include "graphrun/graphrun.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/six_numbers.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using graphrun::testing::TemporaryFolder;
using graphrun::testing::throws;

namespace {

const std::string text = testing::six_numbers_model(
    "  noisy: {op: gaussian_noise, in: x, amount: 0.1}\n"
    "  code:  {op: dense, in: noisy, units: 300, act: tanh}\n"
    "  recon: {op: dense, in: code, units: 6, act: sigmoid}\n",
    "optimizer: {op: adam, lr: {cosine: {from: 1.0e-2, to: 1.0e-3, epochs: 3}}}, batch: 50, epochs: 3");
constexpr std::size_t rows = 100;

SessionOptions with(Executor executor, int threads = 2) {
  SessionOptions options;
  options.executor = executor;
  options.threads = threads;
  return options;
}

/// All that a session computes, as one text.
std::string results(Executor executor, const std::vector<float>& x) {
  Session session(Model::parse(text), with(executor));
  const Inputs inputs = {{"x", x}};
  session.fit(inputs);
  const NamedValues after = session.evaluate(inputs);
  const NamedValues step = session.train_step(inputs);
  return session.digest() + " " + std::to_string(std::lround(after.front().value * 1e15)) + " " +
         std::to_string(std::lround(step.front().value * 1e15));
}

/// The settings of a host that rounds upwards and wants to know of every division by zero.
class UnusualEnvironment {
 public:
  UnusualEnvironment() {
    std::fegetenv(&before_);
    std::fesetround(FE_UPWARD);
    ::feenableexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW);
  }
  ~UnusualEnvironment() { std::fesetenv(&before_); }

 private:
  std::fenv_t before_{};
};

}  // namespace

TEST_CASE("a host's rounding and traps change no bit, and stay as they are") {
  const std::vector<float> x = testing::six_numbers(rows);
  for (const Executor executor : {Executor::serial, Executor::threads, Executor::tbb}) {
    const std::string expected = results(executor, x);
    std::string seen;
    int rounding = 0;
    int traps = 0;
    {
      const UnusualEnvironment host;
      seen = results(executor, x);
      rounding = std::fegetround();
      traps = ::fegetexcept();
    }
    CHECK(seen == expected);
    CHECK(rounding == FE_UPWARD);
    CHECK(traps == (FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW));
  }
}

TEST_CASE("a second thread in a session is told so, and on_epoch may look but not teach") {
  const std::vector<float> x = testing::six_numbers(rows);
  const Inputs inputs = {{"x", x}};
  Session session(Model::parse(text), with(Executor::serial));
  std::promise<void> inside;
  std::promise<void> tried;
  bool refused_teaching = false;
  FitOptions options;
  options.epochs = 1;
  options.on_epoch = [&](const EpochReport&) {
    session.evaluate(inputs);
    session.parameter("code.w");
    refused_teaching =
        throws([&] { session.train_step(inputs); }, ErrorCode::usage, "while a session learns");
    inside.set_value();
    tried.get_future().wait();
  };
  std::thread learner([&] { session.fit(inputs, options); });
  inside.get_future().wait();
  CHECK(throws([&] { session.evaluate(inputs); }, ErrorCode::usage, "another thread is in a call"));
  CHECK(throws([&] { session.digest(); }, ErrorCode::usage, "another thread is in a call"));
  tried.set_value();
  learner.join();
  CHECK(refused_teaching);
  CHECK(session.steps() == 2);
  session.evaluate(inputs);

  const Session taken = std::move(session);
  CHECK(throws([&] { session.evaluate(inputs); }, ErrorCode::usage, "moved"));  // NOLINT
  CHECK(throws([&] { session.model(); }, ErrorCode::usage, "moved"));           // NOLINT
}

TEST_CASE("what on_epoch throws comes out as it is, and the session goes on") {
  struct OfTheHost {};
  const std::vector<float> x = testing::six_numbers(rows);
  Session session(Model::parse(text), with(Executor::serial));
  FitOptions options;
  options.on_epoch = [](const EpochReport&) { throw OfTheHost{}; };
  CHECK_THROWS_AS(session.fit({{"x", x}}, options), OfTheHost);
  CHECK(session.steps() == 2);
  options.on_epoch = {};
  options.epochs = 2;
  session.fit({{"x", x}}, options);
  Session whole(Model::parse(text), with(Executor::serial));
  whole.fit({{"x", x}});
  CHECK(session.digest() == whole.digest());
}

TEST_CASE("a child that was forked may use its parent's session, and destroy it") {
  const std::vector<float> x = testing::six_numbers(rows);
  for (const Executor executor : {Executor::serial, Executor::threads, Executor::tbb}) {
    auto session = std::make_unique<Session>(Model::parse(text), with(executor, 3));
    session->train_step({{"x", x}});
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::alarm(60);  // ends a child that waits for ever
      session->train_step({{"x", x}});
      const bool stepped = session->steps() == 2;
      session.reset();
      ::_exit(stepped ? 0 : 1);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    session->train_step({{"x", x}});
    CHECK(session->steps() == 2);
  }
}

TEST_CASE("weights that a gradient has spoilt are not saved until good ones are loaded") {
  const Model model = Model::parse(R"(graphrun: 1
name: root
inputs:
  x: {shape: [batch, 1]}
nodes:
  w: {op: param, shape: [1], init: zeros}
loss:
  root: sum(sqrt(w) + x)
train: {optimizer: {op: sgd, lr: 0.1}, batch: 1, epochs: 1}
)");
  const std::vector<float> x = {1};
  const TemporaryFolder folder;
  Session session(model, with(Executor::serial));
  session.save(folder / "good");
  CHECK(throws([&] { session.train_step({{"x", x}}); }, ErrorCode::not_finite, "the gradient of 'w'"));
  CHECK(throws([&] { session.save(folder / "bad"); }, ErrorCode::not_finite, "the state is not saved"));
  CHECK_FALSE(std::filesystem::exists(folder / "bad"));
  session.load(folder / "good");
  session.save(folder / "again");
  CHECK(session.parameter("w").values == std::vector<float>{0});
}

TEST_CASE("a figure of a step that a batch leaves out is absent") {
  Session session(Model::parse(R"(graphrun: 1
name: two
inputs:
  x: {shape: [batch, 2]}
nodes:
  a: {op: dense, in: x, units: 2}
  b: {op: dense, in: a, units: 2}
loss:
  first: {op: mse, in: [a, x]}
  second: {op: mse, in: [b, x]}
train:
  optimizer: {op: sgd, lr: 0.1}
  batch: 1
  epochs: 1
  alternate: [{train: [a], loss: [first]}, {train: [b], loss: [second], every: 2}]
)"),
                  with(Executor::serial));
  const std::vector<float> x = {1, 2};
  const auto names = [](const NamedValues& values) {
    std::vector<std::string> all;
    for (const NamedValue& value : values) all.push_back(value.name);
    return all;
  };
  CHECK(names(session.train_step({{"x", x}})) == std::vector<std::string>{"loss", "first"});
  CHECK(names(session.train_step({{"x", x}})) == std::vector<std::string>{"loss", "first", "second"});
}
