// The public interface, as a host uses it.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <thread>

#include "graphrun/graphrun.hpp"
#include "tests/api/small_session.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::testing::api;
using graphrun::testing::TemporaryFolder;
using graphrun::testing::throws;

TEST_CASE("a model tells what it is") {
  const Model model = small_model();
  CHECK(model.name() == "small");
  REQUIRE(model.inputs().size() == 1);
  CHECK(model.inputs()[0].name == "x");
  CHECK(model.inputs()[0].shape == std::vector<std::int64_t>{batch_axis, 784});
  REQUIRE(model.outputs().size() == 3);
  CHECK(model.outputs()[0].name == "code");
  CHECK(model.parameters().size() == 8);
  CHECK(model.parameters()[0].type == ElementType::f32);
  CHECK(model.loss_terms() == std::vector<std::string>{"reconstruction"});
  CHECK(model.metrics() == std::vector<std::string>{"psnr"});
  CHECK(small_model({"units=5"}).outputs()[0].shape == std::vector<std::int64_t>{batch_axis, 5});
  CHECK(Model::parse(model.resolved()).parameters().size() == 8);
}

TEST_CASE("a session begins with the weights that its model names") {
  const TemporaryFolder folder;
  Session first(small_model(), one_thread());
  const std::vector<float> images = make_images(8);
  first.train_step({{"x", images}});
  first.save(folder / "first");
  const auto named = [&](const std::string& file) {
    return Model::parse(graphrun::testing::small_model() + "weights: \"" + (folder / file).string() + "\"\n");
  };
  CHECK(Session(named("first"), one_thread()).digest() == first.digest());
  // A file that is gone is missed by those who need it, and not by those who load another.
  Session without(named("second"), one_thread());
  CHECK(throws([&] { without.train_step({{"x", images}}); }, ErrorCode::io, "second"));
  CHECK(throws([&] { static_cast<void>(without.weights()); }, ErrorCode::io, "second"));
  without.load(folder / "first");
  CHECK(without.digest() == first.digest());
}

TEST_CASE("a wrong model is an exception with every mistake at its place") {
  try {
    Model::parse("graphrun: 1\nname: m\nnodes:\n  a: {op: nothing, in: b}\n", "bad.yaml");
    FAIL("no exception");
  } catch (const ModelError& error) {
    CHECK(error.code() == ErrorCode::model);
    CHECK(!error.diagnostics().empty());
    CHECK(error.where().file == "bad.yaml");
    CHECK(error.where().line == 4);
  }
  CHECK(throws([] { Model::load("/nowhere/model.yaml"); }, ErrorCode::io, "/nowhere/model.yaml"));
}

TEST_CASE("fit learns, evaluate measures, encode and decode go through the code") {
  const std::vector<float> images = make_images(200);
  Session session(small_model(), one_thread());
  const double before = value_of(session.evaluate({{"x", images}}), "loss");
  std::vector<std::int64_t> epochs;
  FitOptions options;
  options.epochs = 20;
  options.batch = 32;
  options.on_epoch = [&](const EpochReport& report) { epochs.push_back(report.epoch); };
  session.fit({{"x", images}}, options);
  CHECK(epochs.size() == 20);
  CHECK(session.steps() == 140);
  CHECK(value_of(session.evaluate({{"x", images}}), "loss") < 0.7 * before);

  const Tensor codes = session.encode({{"x", images}});
  CHECK(codes.shape == std::vector<std::int64_t>{200, 2});
  const Tensor decoded = session.decode(codes.values);
  CHECK(decoded.shape == std::vector<std::int64_t>{200, 784});
  const Tensor drawn = session.reconstruct({{"x", images}});
  REQUIRE(drawn.values.size() == decoded.values.size());
  for (std::size_t i = 0; i < drawn.values.size(); ++i)
    REQUIRE(std::abs(decoded.values[i] - drawn.values[i]) < 1e-5F);  // oneDNN's bits follow the plan
  CHECK(session.run("enc", {{"x", images}}).shape == std::vector<std::int64_t>{200, 32});
}

TEST_CASE("one call takes any number of rows, as floats or as bytes") {
  Session session(small_model(), one_thread());
  const std::vector<float> images = make_images(1100);
  const Tensor all = session.reconstruct({{"x", images}});
  REQUIRE(all.shape == std::vector<std::int64_t>{1100, 784});
  for (const std::size_t count : {1U, 9U, 33U, 700U}) {
    const std::span<const float> some = std::span(images).first(count * pixels);
    const Tensor values = session.run("recon", {{"x", some}});
    REQUIRE(values.values.size() == count * pixels);
    for (std::size_t i = 0; i < values.values.size(); ++i)
      REQUIRE(std::abs(values.values[i] - all.values[i]) < 1e-5F);
  }
  // The loss is of all rows: it is no mean over blocks of them.
  const double loss = session.run("loss", {{"x", images}}).values.at(0);
  CHECK(std::abs(loss - value_of(session.evaluate({{"x", images}}), "loss")) < 1e-6);
}

TEST_CASE("pixels given as bytes are the same as their fractions") {
  std::vector<std::uint8_t> bytes(pixels * 3);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
  std::vector<float> fractions;
  for (const std::uint8_t byte : bytes) fractions.push_back(static_cast<float>(byte) / 255.0F);
  Session session(small_model(), one_thread());
  CHECK(session.encode({{"x", bytes}}).values == session.encode({{"x", fractions}}).values);
}

TEST_CASE("steps by hand reach the same weights whatever executes them") {
  const std::vector<float> images = make_images(48);
  std::string expected;
  for (const Executor executor : {Executor::serial, Executor::threads, Executor::tbb}) {
    SessionOptions options;
    options.threads = executor == Executor::serial ? 1 : 3;
    options.executor = executor;
    Session session(small_model(), options);
    NamedValues values;
    for (int step = 0; step < 10; ++step) values = session.train_step({{"x", images}});
    CHECK(value_of(values, "loss") == value_of(values, "reconstruction"));
    if (expected.empty()) expected = session.digest();
    CHECK(session.digest() == expected);
  }
}

TEST_CASE("a session writes its model for other runtimes") {
  const TemporaryFolder folder;
  const Session session(small_model());
  const std::string path = (folder / "encoder.onnx").string();
  session.export_onnx(path, {.part = {"encoder"}});
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  CHECK(bytes.find("Gemm") != std::string::npos);
  CHECK(bytes.find(session.digest()) != std::string::npos);
  CHECK(throws([&] { session.export_onnx(path, {.part = {"cod"}}); }, ErrorCode::usage, "cod"));
  CHECK(throws([&] { session.export_onnx("/proc/none/x.onnx"); }, ErrorCode::io, "/proc/none"));
}

TEST_CASE("parameters are read and written by name") {
  Session session(small_model(), one_thread());
  const Tensor weights = session.parameter("enc.w");
  CHECK(weights.shape == std::vector<std::int64_t>{784, 32});
  const std::vector<float> zeros(weights.values.size());
  session.set_parameter("enc.w", zeros);
  CHECK(session.parameter("enc.w").values == zeros);
  CHECK(throws([&] { session.set_parameter("enc.w", std::span(zeros).first(3)); }, ErrorCode::usage,
               "has 25088 values, not 3"));
  CHECK(throws([&] { session.parameter("enc.v"); }, ErrorCode::usage, "there is no parameter 'enc.v'"));
}

TEST_CASE("what a host hands in wrongly is refused with the reason") {
  Session session(small_model(), one_thread());
  const std::vector<float> images = make_images(3);
  const std::vector<std::int32_t> whole(pixels);
  const auto refused = [&](const Inputs& inputs, const std::string& reason) {
    CHECK(throws([&] { session.encode(inputs); }, ErrorCode::usage, reason));
  };
  refused({}, "no input is given");
  refused({{"x", std::span(images).first(100)}}, "no whole number of rows of 784");
  refused({{"x", std::span(images).first(0)}}, "no whole number of rows");
  refused({{"x", whole}}, "int32 values do not fit it");
  refused({{"z", images}}, "no output or node 'z'");
  refused({{"x", images}, {"x", images}}, "'x' is given twice");
  refused({{"x", images}, {"dec", std::span(images).first(32)}}, "rows");
  CHECK(throws(
      [&] {
        session.run("nothing", {{"x", images}});
      },
      ErrorCode::usage, "no output or node 'nothing'"));
  CHECK(throws([&] { session.decode(std::span(images).first(3)); }, ErrorCode::usage,
               "no whole number of rows of 2"));
  SessionOptions negative;
  negative.threads = -1;
  CHECK(throws([&] { Session(small_model(), negative); }, ErrorCode::usage, "-1 threads"));
  SessionOptions little;
  little.max_bytes = 1000;
  Session small(small_model(), little);
  CHECK(throws([&] { small.train_step({{"x", images}}); }, ErrorCode::memory, "bytes"));
}

TEST_CASE("two sessions in two threads learn what each learns alone") {
  const std::vector<float> images = make_images(128);
  const Model model = small_model();
  const auto learn = [&](std::uint64_t seed, int threads) {
    SessionOptions options;
    options.threads = threads;
    options.seed = seed;
    Session session(model, options);
    FitOptions fit;
    fit.epochs = 5;
    session.fit({{"x", images}}, fit);
    return session.digest();
  };
  const std::string first_alone = learn(1, 1);
  const std::string second_alone = learn(2, 1);
  CHECK(first_alone != second_alone);
  std::string first;
  std::string second;
  {
    const std::jthread a([&] { first = learn(1, 2); });
    const std::jthread b([&] { second = learn(2, 2); });
  }
  CHECK(first == first_alone);
  CHECK(second == second_alone);
}

TEST_CASE("gradients of any node, for inputs and parameters, are those of finite differences") {
  const Model model = small_model();
  Session session(model, one_thread());
  std::vector<float> images = make_images(3);
  const std::vector<std::string> names{"x", "code.w", "recon"};
  const std::vector<Tensor> gradients = session.gradients("loss", names, {{"x", images}});
  REQUIRE(gradients.size() == 3);
  CHECK(gradients[0].shape == std::vector<std::int64_t>{3, 784});
  CHECK(gradients[1].shape == session.parameter("code.w").shape);
  CHECK(gradients[2].shape == std::vector<std::int64_t>{3, 784});

  const auto loss = [&] { return double{session.run("loss", {{"x", images}}).values.at(0)}; };
  Tensor weights = session.parameter("code.w");
  const float step = 1e-2F;
  const float before = weights.values[5];
  weights.values[5] = before + step;
  session.set_parameter("code.w", weights.values);
  const double above = loss();
  weights.values[5] = before - step;
  session.set_parameter("code.w", weights.values);
  const double below = loss();
  CHECK(std::abs((above - below) / (2 * double{step}) - double{gradients[1].values[5]}) < 1e-4);
  CHECK(throws(
      [&] {
        session.gradients("loss", std::vector<std::string>{"nothing"}, {{"x", images}});
      },
      ErrorCode::usage, "nothing"));
}

TEST_CASE("a model lists its nodes, and takes settings as they are written") {
  const Model model = small_model();
  const std::vector<NodeInfo> nodes = model.nodes();
  const auto code =
      std::find_if(nodes.begin(), nodes.end(), [](const NodeInfo& node) { return node.name == "code"; });
  REQUIRE(code != nodes.end());
  CHECK(code->op == "tanh");
  CHECK(code->value.shape == std::vector<std::int64_t>{batch_axis, 2});
  CHECK(code->where.line > 0);
  TemporaryFolder folder;
  std::ofstream(folder / "small.yaml") << graphrun::testing::small_model();
  CHECK(Model::load((folder / "small.yaml").string(), {"units=5"}).outputs()[0].shape.back() == 5);
}

TEST_CASE("the interface that programs ask for is that of the version") {
  const std::string name = "graphrun_interface_0_1";
  const std::string version(graphrun::version);
  CHECK(version.starts_with(name.substr(19, 1) + "." + name.substr(21, 1) + "."));
  CHECK(detail::asked_interface != nullptr);
}
