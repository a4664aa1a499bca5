// A predictor gives what a session gives, to any number of threads at once, while its weights are replaced.
#include <atomic>
#include <cmath>
#include <thread>

#include "files/safetensors.hpp"
#include "graphrun/graphrun.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/count_allocations.hpp"
#include "tests/support/same_bits.hpp"
#include "tests/support/small_model.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using graphrun::testing::same_bits;
using graphrun::testing::TemporaryFolder;
using graphrun::testing::throws;

namespace {

constexpr std::size_t pixels = 784;

Model model_of(const std::string& text) {
  return Model::parse(text, "model.yaml");
}

Model small_model() {
  return model_of(graphrun::testing::small_model());
}

std::vector<float> make_images(std::size_t count) {
  std::vector<float> images(count * pixels);
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(i * 7919 % 1009) / 1009;
  return images;
}

Session session_of(const Model& model, std::uint64_t seed = 1, Provider provider = Provider::automatic) {
  SessionOptions options;
  options.provider = provider;
  options.threads = 1;
  options.seed = seed;
  return Session(model, options);
}

}  // namespace

TEST_CASE("a predictor gives the bits of a session for any number of rows") {
  // Of oneDNN's products, bits follow the number of rows.
  Session session = session_of(small_model(), 1, Provider::tiles);
  const std::vector<float> images = make_images(1100);
  PredictorOptions options;
  options.outputs = {"image", "code"};
  options.provider = Provider::tiles;
  const Predictor predictor(session.model(), session.weights(), options);
  REQUIRE(predictor.outputs().size() == 2);
  CHECK(predictor.outputs()[1].shape == std::vector<std::int64_t>{batch_axis, 2});
  CHECK(predictor.inputs()[0].name == "x");
  for (const std::size_t rows : {1U, 3U, 16U, 17U, 33U, 512U, 700U, 1100U}) {
    INFO(rows);
    const std::span<const float> some = std::span(images).first(rows * pixels);
    std::vector<float> image(rows * pixels);
    std::vector<float> code(rows * 2);
    const InputSpan input = some;
    const OutputSpan outputs[] = {std::span(image), std::span(code)};
    predictor.predict(std::span(&input, 1), outputs);
    CHECK(same_bits(image, session.reconstruct({{"x", some}}).values));
    CHECK(same_bits(code, session.encode({{"x", some}}).values));
  }
}

TEST_CASE("a predictor has the precision of its model or the one it is given, as a session has") {
  const std::vector<float> images = make_images(40);
  const auto codes_of = [&](const Model& model, std::optional<Precision> precision) {
    SessionOptions options;
    options.threads = 1;
    options.precision = precision;
    Session session(model, options);
    const std::vector<float> own = session.encode({{"x", images}}).values;
    PredictorOptions asked;
    asked.precision = precision;
    const Predictor predictor(model, session.weights(), asked);
    std::vector<float> code(own.size());
    predictor.predict(std::span<const float>(images), std::span(code));
    CHECK(same_bits(code, own));
    return own;
  };
  const Model rounding =
      model_of(graphrun::testing::small_model("epochs: 2, seed: 1, precision: bf16-emulated"));
  const std::vector<float> rounded = codes_of(rounding, std::nullopt);
  const std::vector<float> exact = codes_of(rounding, Precision::f32);
  CHECK_FALSE(same_bits(rounded, exact));
  CHECK(same_bits(codes_of(small_model(), std::nullopt), exact));
  CHECK(same_bits(codes_of(small_model(), Precision::bf16_emulated), rounded));
}

TEST_CASE("a predictor of a provider gives the bits of a session of it") {
  const std::vector<float> images = make_images(33);
  for (const Provider provider : {Provider::onednn, Provider::tiles}) {
    Session session = session_of(small_model(), 1, provider);
    PredictorOptions options;
    options.provider = provider;
    const Predictor predictor(session.model(), session.weights(), options);
    for (const std::size_t rows : {1U, 3U, 33U}) {
      const std::span<const float> some = std::span(images).first(rows * pixels);
      std::vector<float> code(rows * 2);
      predictor.predict(some, std::span(code));
      CHECK(same_bits(code, session.encode({{"x", some}}).values));
    }
  }
}

TEST_CASE("a predictor takes pixels as bytes, and the code by itself") {
  Session session = session_of(small_model());
  std::vector<std::uint8_t> bytes(3 * pixels);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
  const Predictor encoder(session.model(), session.weights());
  std::vector<float> codes(3 * 2);
  encoder.predict(std::span<const std::uint8_t>(bytes), std::span(codes));
  CHECK(same_bits(codes, session.encode({{"x", std::span<const std::uint8_t>(bytes)}}).values));

  const Predictor decoder(session.model(), session.weights(), {.outputs = {"image"}, .inputs = {"code"}});
  std::vector<float> images(3 * pixels);
  decoder.predict(std::span<const float>(codes), std::span(images));
  CHECK(same_bits(images, session.decode(codes).values));
}

TEST_CASE("labels stay whole numbers on their way in and out") {
  const Model model = model_of(R"(graphrun: 1
name: labels
inputs:
  x: {shape: [batch, 4]}
  y: {from: labels}
nodes:
  h: {op: dense, in: x, units: 3}
  best: {op: argmax, in: h, axis: 1}
  code: {op: one_hot, in: y, depth: 3}
outputs: {class: best, code: code}
loss: {l: {op: mse, in: [h, code]}}
train: {optimizer: {op: sgd, lr: 0.1}, batch: 2, epochs: 1}
)");
  Session session = session_of(model);
  const std::vector<float> x{1, 2, 3, 4, -4, 3, -2, 1};
  const std::vector<std::uint8_t> y{2, 0};
  const Predictor predictor(model, session.weights(), {.outputs = {"class", "code"}, .inputs = {"x", "y"}});
  CHECK(predictor.outputs()[0].type == ElementType::i32);
  std::vector<std::int32_t> classes(2);
  std::vector<float> code(6);
  const InputSpan inputs[] = {std::span<const float>(x), std::span<const std::uint8_t>(y)};
  const OutputSpan outputs[] = {std::span(classes), std::span(code)};
  predictor.predict(inputs, outputs);
  const Tensor expected = session.run("class", {{"x", x}, {"y", std::span<const std::uint8_t>(y)}});
  CHECK(expected.values ==
        std::vector<float>{static_cast<float>(classes[0]), static_cast<float>(classes[1])});
  CHECK(code == std::vector<float>{0, 0, 1, 1, 0, 0});
}

TEST_CASE("many threads use one predictor while its weights are replaced") {
  const Model model = small_model();
  Session first = session_of(model, 1);
  Session second = session_of(model, 2);
  const std::vector<float> images = make_images(40);
  const auto codes_of = [&](Session& session) { return session.encode({{"x", images}}).values; };
  const std::vector<float> of_first = codes_of(first);
  const std::vector<float> of_second = codes_of(second);
  REQUIRE_FALSE(same_bits(of_first, of_second));

  Predictor predictor(model, first.weights());
  std::atomic<int> wrong = 0;
  std::atomic<int> calls = 0;
  const auto work = [&](std::stop_token stop) {
    std::vector<float> codes(40 * 2);
    while (!stop.stop_requested()) {
      predictor.predict(std::span<const float>(images), std::span(codes));
      if (!same_bits(codes, of_first) && !same_bits(codes, of_second)) ++wrong;
      ++calls;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(work);
    const Weights weights[] = {second.weights(), first.weights()};
    for (int i = 0; i < 200 || calls < 100; ++i) predictor.swap_weights(weights[i % 2]);
  }
  CHECK(wrong == 0);
  predictor.swap_weights(second.weights());
  std::vector<float> codes(40 * 2);
  predictor.predict(std::span<const float>(images), std::span(codes));
  CHECK(same_bits(codes, of_second));
  CHECK(predictor.weights().digest() == second.digest());
}

TEST_CASE("weights that were taken stay as they are while the session learns on") {
  Session session = session_of(small_model());
  const Weights weights = session.weights();
  const std::string before = session.digest();
  session.train_step({{"x", make_images(8)}});
  CHECK(session.digest() != before);
  CHECK(weights.digest() == before);
}

TEST_CASE("weights come from a checkpoint, or from any safetensors file with the parameters") {
  TemporaryFolder folder;
  Session session = session_of(small_model());
  session.save((folder / "checkpoint.safetensors").string());
  const Weights loaded = Weights::load(session.model(), (folder / "checkpoint.safetensors").string());
  CHECK(loaded.digest() == session.digest());

  std::vector<Tensor> tensors;
  std::vector<files::TensorView> views;
  for (const TensorInfo& info : session.model().parameters()) tensors.push_back(session.parameter(info.name));
  for (std::size_t i = 0; i < tensors.size(); ++i)
    views.push_back({session.model().parameters()[i].name, files::StoredType::f32,
                     std::vector<std::size_t>(tensors[i].shape.begin(), tensors[i].shape.end()),
                     std::as_bytes(std::span(tensors[i].values))});
  files::write_safetensors(folder / "plain.safetensors", views, {});
  CHECK(Weights::load(session.model(), (folder / "plain.safetensors").string()).digest() == session.digest());
  files::write_safetensors(folder / "less.safetensors", std::span(views).first(3), {});
  CHECK(throws([&] { Weights::load(session.model(), (folder / "less.safetensors").string()); },
               ErrorCode::data, "it has no parameter"));
}

#ifdef GRAPHRUN_COUNTS_ALLOCATIONS
TEST_CASE("a call for which there is room allocates nothing") {
  Session session = session_of(small_model());
  PredictorOptions options;
  options.provider = Provider::tiles;  // oneDNN's primitives allocate on their own account
  const Predictor predictor(session.model(), session.weights(), options);
  predictor.prepare(100, 2);
  const std::vector<float> images = make_images(100);
  std::vector<std::uint8_t> bytes(100 * pixels, 7);
  std::vector<float> codes(100 * 2);
  for (const std::size_t rows : {1U, 5U, 16U, 37U, 100U}) {
    INFO(rows);
    const std::span<float> out = std::span(codes).first(rows * 2);
    const long before = graphrun::testing::allocations;
    predictor.predict(std::span<const float>(images).first(rows * pixels), out);
    predictor.predict(std::span<const std::uint8_t>(bytes).first(rows * pixels), out);
    CHECK(graphrun::testing::allocations == before);
  }
}
#endif

TEST_CASE("a call that does not fit says what does") {
  Session session = session_of(small_model());
  const Model& model = session.model();
  const Weights weights = session.weights();
  const Predictor predictor(model, weights);
  std::vector<float> image(pixels);
  std::vector<float> code(2);
  const auto fails = [&](InputSpan input, OutputSpan output, const std::string& message) {
    return throws([&] { predictor.predict(input, output); }, ErrorCode::usage, message);
  };
  const std::span<const float> row(image);
  CHECK(fails(row.first(700), std::span(code), "700 values are no whole number of rows of 784"));
  CHECK(fails(row, std::span(code).first(1), "'code' has 2 values for 1 rows; room is given for 1"));
  std::vector<std::int32_t> wholes(pixels);
  CHECK(fails(std::span<const std::int32_t>(wholes), std::span(code), "int32 values do not fit"));
  CHECK(fails(row, std::span(wholes).first(2), "which goes to float values"));
  CHECK(throws([&] { predictor.predict(std::span<const InputSpan>(), std::span<const OutputSpan>()); },
               ErrorCode::usage, "takes 1 inputs, not 0"));
  CHECK(throws([&] { predictor.prepare(0); }, ErrorCode::usage, "nothing to prepare"));
  CHECK(throws([&] { Predictor(model, weights, {.outputs = {"kode"}, .inputs = {}}); }, ErrorCode::usage,
               "kode"));
  CHECK(throws([&] { Predictor(model, weights, {.outputs = {"score"}, .inputs = {}}); }, ErrorCode::usage,
               "no output or node 'score': `outputs: {score: NODE}` says which node it is. There are: "));
  CHECK(throws([&] { Predictor(model, weights, {.outputs = {"loss"}, .inputs = {}}); }, ErrorCode::usage,
               "a row for each example"));
  const Model other =
      Model::parse(graphrun::testing::small_model(), "other.yaml", std::vector<std::string>{"units=5"});
  CHECK(throws([&] { Predictor(other, weights); }, ErrorCode::usage, "the weights are of another model"));
  PredictorOptions tight;
  tight.max_bytes = 64;
  const Predictor small(model, weights, tight);
  CHECK(throws([&] { small.predict(row, std::span(code)); }, ErrorCode::memory, "fewer rows need less"));
}

TEST_CASE("a predictor that was moved from says so, and models and weights stay what they were") {
  Session session = session_of(small_model());
  Model model = session.model();
  Weights weights = session.weights();
  Predictor predictor(model, weights);
  const Predictor taken = std::move(predictor);
  std::vector<float> code(2);
  const std::vector<float> image = make_images(1);
  taken.predict(std::span<const float>(image), std::span(code));
  // NOLINTBEGIN(bugprone-use-after-move): what is tested
  const auto is_refused = [](const auto& call) {
    return throws(call, ErrorCode::usage, "this predictor was moved to another one");
  };
  CHECK(is_refused([&] { predictor.predict(std::span<const float>(image), std::span(code)); }));
  CHECK(is_refused([&] { predictor.inputs(); }));
  CHECK(is_refused([&] { predictor.outputs(); }));
  CHECK(is_refused([&] { predictor.prepare(1); }));
  CHECK(is_refused([&] { predictor.swap_weights(weights); }));
  CHECK(is_refused([&] { predictor.weights(); }));
  const Model other = std::move(model);
  CHECK(model.name() == other.name());
  const Weights others = std::move(weights);
  CHECK(weights.digest() == others.digest());
  // NOLINTEND(bugprone-use-after-move)
  predictor = Predictor(model, weights);
  CHECK(predictor.outputs().size() == 1);
}
