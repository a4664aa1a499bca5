// Products of operands that are rounded to bf16: the rounding, the products against f64, and whole steps.
// What needs instructions for bf16 is only tested where they are; the emulated form is tested everywhere.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "graph/interpreter.hpp"
#include "graph/passes/pipeline.hpp"
#include "graph/term.hpp"
#include "ops/op.hpp"
#include "runtime/execute/session.hpp"
#include "runtime/lower/lower.hpp"
#include "runtime/machine/aligned.hpp"
#include "runtime/machine/host_state.hpp"
#include "runtime/products/provider.hpp"
#include "tests/runtime/network.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::runtime;
using graphrun::testing::all_values;
using graphrun::testing::autoencoder;
using graphrun::testing::NetworkShape;
using graphrun::testing::train;

namespace {

const KernelDef& rounding() {
  return *ops::kernels().find(ops::registry().get("round_bf16"));
}

std::vector<Isa> sets() {
  std::vector<Isa> all = {Isa::baseline, Isa::avx2, Isa::avx512};
  std::erase_if(all, [](Isa isa) { return isa > detected_isa(); });
  return all;
}

std::vector<float> rounded(const std::vector<float>& values, Isa isa = detected_isa()) {
  std::vector<float> result(values.size());
  rounding().vector->function(isa)({{values.data()}, result.data(), values.size(), nullptr});
  return result;
}

std::vector<Bf16> narrowed(const std::vector<float>& values, Isa isa = detected_isa()) {
  std::vector<Bf16> result(values.size());
  rounding().narrow->function(isa)(
      {{values.data()}, reinterpret_cast<float*>(result.data()), values.size(), nullptr});
  return result;
}

float widened(Bf16 upper) {
  return std::bit_cast<float>(std::uint32_t{upper} << 16U);
}

/// Numbers of every kind: any bits.
std::vector<float> any_floats(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(count);
  for (float& value : values) value = std::bit_cast<float>(static_cast<std::uint32_t>(generator()));
  return values;
}

/// Large enough that slices, and rows of weight gradients, are cut.
const NetworkShape network{.widths = {560, 640, 33}, .noise = true};

NetworkShape at(Precision precision) {
  NetworkShape shape = network;
  shape.precision = precision;
  return shape;
}

constexpr std::int64_t rows = 160;

SessionOptions with(Precision precision, ExecutorKind executor = ExecutorKind::serial, int threads = 1) {
  SessionOptions options;
  options.executor = executor;
  options.threads = threads;
  options.lowering.precision = precision;
  return options;
}

/// The losses of some steps, then all variables.
std::vector<float> trained(Precision precision, const SessionOptions& options, int steps) {
  Session session(ops::registry(), ops::kernels(), options);
  const ProgramId program = session.add(autoencoder(at(precision)));
  session.variables().initialise(5);
  std::vector<float> values = train(session, program, rows, network.widths.front(), steps);
  const std::vector<float> variables = all_values(session.variables());
  values.insert(values.end(), variables.begin(), variables.end());
  return values;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

// ---- Rounding ----

TEST_CASE("rounding to bf16 goes to the nearest, of two to the even, and keeps what is not a number") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float half = 0x1p-8F;  // of the last place at 1
  const std::vector<float> values = {1 + half, 1 + 3 * half, 1 + 1.01F * half, -1 - half,
                                     0.0F,     -0.0F,        infinity,         -infinity,
                                     3.4e38F,  -3.4e38F,     0x1p-133F * 1.5F, 0x1p-149F};
  const std::vector<float> expected = {1,        1 + 4 * half, 1 + 2 * half, -1,        0.0F,      -0.0F,
                                       infinity, -infinity,    infinity,     -infinity, 0x1p-132F, 0.0F};
  CHECK(same_bits(rounded(values), expected));
  for (const std::uint32_t bits : {0x7F800001U, 0xFFFFFFFFU, 0x7FC00000U})
    CHECK(std::isnan(rounded({std::bit_cast<float>(bits)}).front()));
}

TEST_CASE("a value has the same bits stored as bf16 as rounded in f32, with every instruction set") {
  const std::vector<float> values = any_floats(10'007, 31);
  const std::vector<float> expected = rounded(values, Isa::baseline);
  for (const Isa isa : sets()) {
    CAPTURE(to_string(isa));
    CHECK(same_bits(rounded(values, isa), expected));
    std::vector<float> wide;
    for (const Bf16 upper : narrowed(values, isa)) wide.push_back(widened(upper));
    CHECK(same_bits(wide, expected));
  }
}

// ---- Products ----

namespace {

struct NarrowCase {
  MatmulSpec spec;
  std::vector<Bf16> a, b;
  std::vector<float> bias, output;

  NarrowCase(const MatmulSpec& given, std::mt19937& generator) : spec(given) {
    std::uniform_real_distribution<float> distribution(-1, 1);
    const auto some = [&](std::int64_t count) {
      std::vector<float> values(static_cast<std::size_t>(count));
      for (float& value : values) value = distribution(generator);
      return values;
    };
    spec.bf16 = true;
    a = narrowed(some(spec.rows * spec.inner));
    b = narrowed(some(spec.inner * spec.columns));
    bias = some(spec.columns);
    output.assign(static_cast<std::size_t>(spec.rows * spec.columns) + 1, -99.0F);
  }

  std::string run() { return run(spec, a.data()); }
  std::string run(const MatmulSpec& part, const Bf16* first) {
    const HostState state;
    const auto matmul = product_provider(part, ProviderChoice::automatic, detected_isa()).make(part);
    const AlignedBytes scratch = allocate_aligned(matmul->scratch_bytes());
    REQUIRE(matmul->bind()->run({.narrow_a = first,
                                 .narrow_b = b.data(),
                                 .bias = spec.bias ? bias.data() : nullptr,
                                 .output = output.data(),
                                 .scratch = scratch.get()}));
    return matmul->implementation();
  }

  /// The largest difference from f64, in units of the rounding of one f32 addition of the terms.
  double worst(std::int64_t first_row, std::int64_t count) const {
    double worst = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      for (std::int64_t j = 0; j < spec.columns; ++j) {
        double sum = spec.bias ? bias[static_cast<std::size_t>(j)] : 0;
        double size = std::abs(sum);
        for (std::int64_t k = 0; k < spec.inner; ++k) {
          const auto row = first_row + i;
          const auto at_a = spec.transpose_a ? k * spec.rows + row : row * spec.inner + k;
          const auto at_b = spec.transpose_b ? j * spec.inner + k : k * spec.columns + j;
          const double term = double{widened(a[static_cast<std::size_t>(at_a)])} *
                              double{widened(b[static_cast<std::size_t>(at_b)])};
          sum += term;
          size += std::abs(term);
        }
        const double made = output[static_cast<std::size_t>(i * spec.columns + j)];
        worst = std::max(worst, std::abs(sum - made) / (size * 0x1p-24 + 1e-30));
      }
    }
    return worst;
  }
};

}  // namespace

TEST_CASE("products of bf16 agree with f64 of what they read, and never run on a reference implementation") {
  if (!has_bf16()) return;
  std::mt19937 generator(41);
  const std::vector<std::array<std::int64_t, 3>> sizes = {
      {1, 1, 1},      {1, 784, 256}, {64, 256, 784}, {5, 7, 1}, {64, 2, 64}, {17, 30, 2},
      {784, 256, 64}, {32, 64, 128}, {2, 1, 300},    {1, 3, 2}, {300, 1, 5}, {33, 10, 31}};
  for (const auto& [m, n, k] : sizes) {
    for (int flags = 0; flags < 8; ++flags) {
      CAPTURE(m, n, k, flags);
      NarrowCase test({.rows = m,
                       .columns = n,
                       .inner = k,
                       .transpose_a = (flags & 1) != 0,
                       .transpose_b = (flags & 2) != 0,
                       .bias = (flags & 4) != 0},
                      generator);
      const std::string implementation = test.run();
      CHECK(implementation.starts_with("oneDNN "));
      CHECK_FALSE(is_reference_implementation(implementation));
      // Each addition rounds once; oneDNN's order is its own.
      CHECK(test.worst(0, m) < 2 * std::sqrt(static_cast<double>(k)) + 2);
      CHECK(test.output.back() == -99.0F);
    }
  }
}

TEST_CASE("some rows of a transposed product of bf16") {
  if (!has_bf16()) return;
  std::mt19937 generator(42);
  for (const std::int64_t columns : {37, 2}) {
    CAPTURE(columns);
    NarrowCase test({.rows = 50, .columns = columns, .inner = 21, .transpose_a = true}, generator);
    MatmulSpec part = test.spec;
    part.rows = 17;
    part.a_stride = 50;
    test.run(part, test.a.data() + 20);
    CHECK(test.worst(20, 17) < 12);
    CHECK(test.output[static_cast<std::size_t>(17 * columns)] == -99.0F);
  }
}

TEST_CASE("only a provider that has the instructions runs products of bf16") {
  const MatmulSpec spec{.rows = 64, .columns = 256, .inner = 784, .bf16 = true};
  for (const ProviderChoice choice :
       {ProviderChoice::automatic, ProviderChoice::onednn, ProviderChoice::tiles}) {
    for (const Isa isa : sets())
      CHECK(product_provider(spec, choice, isa).capabilities(spec).runs == has_bf16(isa));
  }
  CHECK_FALSE(has_bf16(Isa::avx2));
  CHECK_NOTHROW(require(Precision::f32));
  CHECK_NOTHROW(require(Precision::bf16_emulated));
  if (has_bf16()) return require(Precision::bf16);
  CHECK(testing::throws([] { require(Precision::bf16); }, ErrorCode::usage, "no instructions for bf16"));
}

// ---- Convolutions ----

namespace {

struct ConvolutionSizes {
  std::int64_t side, in, out, kernel, stride, pad;
  std::int64_t made_side() const { return (side + 2 * pad - kernel) / stride + 1; }
};
constexpr std::int64_t images = 5;

/// y, dx and dw of one convolution whose operands are rounded.
std::shared_ptr<const Graph> rounded_convolution(const ConvolutionSizes& size) {
  Builder builder(ops::registry());
  const auto read_images = [&](const char* name, std::int64_t extent, std::int64_t channels) {
    const Shape shape = {Dim::batch(), Dim::number(extent), Dim::number(extent), Dim::number(channels)};
    const NodeId input = builder.add("input", {}, {{"shape", shape}}, {.name = name});
    return builder.add("round_bf16", {input});
  };
  const NodeId x = read_images("x", size.side, size.in);
  const NodeId g = read_images("g", size.made_side(), size.out);
  const Shape kernel = {Dim::number(size.kernel), Dim::number(size.kernel), Dim::number(size.in),
                        Dim::number(size.out)};
  const NodeId param =
      builder.add("param", {}, {{"shape", kernel}, {"init", Initializer{"normal", {}}}}, {.name = "w"});
  const NodeId w = builder.add("round_bf16", {param});
  const Attributes window = {{"stride", size.stride}, {"pad", size.pad}};
  const auto with_extents = [&](const char* name, std::int64_t extent) {
    Attributes all = window;
    all.set(name, std::vector{extent, extent});
    return all;
  };
  builder.output("y", builder.add("convolution", {x, w}, window));
  builder.output("dx", builder.add("transposed_convolution", {g, w}, with_extents("size", size.side)));
  builder.output("dw",
                 builder.add("convolution_weight_gradient", {x, g}, with_extents("kernel", size.kernel)));
  return std::make_shared<const Graph>(make_executable(std::move(builder).finish(), ops::registry()));
}

graphrun::testing::Values random_images(const ConvolutionSizes& size) {
  graphrun::testing::Values values;
  std::mt19937 generator(43);
  std::uniform_real_distribution<float> distribution(-1, 1);
  const std::map<std::string, Extents> all = {{"x", {images, size.side, size.side, size.in}},
                                              {"g", {images, size.made_side(), size.made_side(), size.out}}};
  for (const auto& [name, extents] : all) {
    std::vector<float> numbers(static_cast<std::size_t>(element_count(extents)));
    for (float& number : numbers) number = distribution(generator);
    values.set(name, extents, std::move(numbers));
  }
  return values;
}

double largest_error(Session& session, ProgramId program, const std::vector<Feed>& feeds,
                     const std::string& output, const std::vector<double>& expected) {
  std::vector<float> made(expected.size());
  const std::vector<Fetch> fetches = {{output, std::as_writable_bytes(std::span(made))}};
  Run run;
  run.batch = images;
  run.feeds = feeds;
  run.fetches = fetches;
  session.run(program, run);
  double worst = 0;
  for (std::size_t i = 0; i < made.size(); ++i)
    worst = std::max(worst, std::abs(double{made[i]} - expected[i]));
  return worst;
}

void check_convolution(const ConvolutionSizes& size, Precision precision) {
  CAPTURE(size.side, size.in, size.out, to_string(precision));
  const auto graph = rounded_convolution(size);
  const auto values = random_images(size);
  Session session(ops::registry(), ops::kernels(), with(precision));
  const ProgramId program = session.add(graph);
  session.variables().initialise(9);
  HostVariables variables = graphrun::testing::host_variables(session.variables());
  const auto exact = interpret(*graph, variables, {images, values.host(), {}});
  const Plan& plan = session.prepare(program, images);
  CHECK(plan.warnings.empty());
  for (const Unit& unit : plan.units) {
    const bool multiplies = graph->node(unit.node).op->traits.products;
    if (!multiplies || precision != Precision::bf16) continue;
    CHECK(plan.implementation(unit).find("bf16") != std::string::npos);
  }
  for (const NamedOutput& output : graph->outputs()) {
    CAPTURE(output.name);
    CHECK(largest_error(session, program, values.feeds(), output.name, exact[output.node].values) < 3e-5);
  }
}

}  // namespace

TEST_CASE("convolutions of bf16 and both gradients agree with f64 of what they read") {
  for (const ConvolutionSizes& size :
       {ConvolutionSizes{9, 1, 5, 3, 2, 1}, ConvolutionSizes{8, 16, 16, 3, 1, 1},
        ConvolutionSizes{7, 32, 3, 4, 2, 1}}) {
    check_convolution(size, Precision::bf16_emulated);
    if (has_bf16()) check_convolution(size, Precision::bf16);
  }
}

// ---- Graphs ----

TEST_CASE("every operand of a product is rounded, once, and nothing else is") {
  const auto graph = autoencoder(at(Precision::bf16));
  std::set<NodeId> values;
  std::size_t products = 0;
  for (const Node& node : graph->nodes()) {
    if (node.op->name == "round_bf16") CHECK(values.insert(node.inputs[0]).second);
    if (!node.op->traits.products) continue;
    ++products;
    for (const NodeId input : node.inputs) CHECK(graph->node(input).op->name == "round_bf16");
  }
  CHECK(products == 4 + 4 + 3);       // forward, weights, all but the first layer's inputs
  CHECK(values.size() == 4 + 4 + 4);  // weights, what layers read, their cotangents
  const auto exact = autoencoder(network);
  for (const Node& node : exact->nodes()) CHECK(node.op->name != "round_bf16");
}

TEST_CASE("products of few rows, columns or channels stay f32") {
  const auto is_rounded = [](Shape a, Shape b, const char* op) {
    Builder builder(ops::registry());
    const NodeId x = builder.add("input", {}, {{"shape", std::move(a)}}, {.name = "x"});
    const NodeId w = builder.add("param", {}, {{"shape", std::move(b)}}, {.name = "w"});
    builder.output("y", builder.add(op, {x, w}));
    PassOptions options;
    options.precision = Precision::bf16;
    const Graph graph = make_executable(std::move(builder).finish(), ops::registry(), options);
    return graph.node(graph.node(graph.output("y")).inputs[0]).op->name == "round_bf16";
  };
  const auto k = [](std::int64_t extent) { return Dim::number(extent); };
  CHECK(is_rounded({Dim::batch(), k(32)}, {k(32), k(32)}, "matmul"));
  CHECK_FALSE(is_rounded({Dim::batch(), k(31)}, {k(31), k(64)}, "matmul"));
  CHECK_FALSE(is_rounded({Dim::batch(), k(64)}, {k(64), k(2)}, "matmul"));
  CHECK(is_rounded({Dim::batch(), k(9), k(9), k(16)}, {k(3), k(3), k(16), k(32)}, "convolution"));
  CHECK_FALSE(is_rounded({Dim::batch(), k(9), k(9), k(1)}, {k(3), k(3), k(1), k(32)}, "convolution"));
  CHECK_FALSE(is_rounded({Dim::batch(), k(9), k(9), k(16)}, {k(3), k(3), k(16), k(3)}, "convolution"));
}

TEST_CASE("products of a loss and its gradients stay f32") {
  Builder builder(ops::registry());
  const auto input = [&](const char* name) {
    return Term(builder,
                builder.add("input", {}, {{"shape", Shape{Dim::batch(), Dim::number(32)}}}, {.name = name}));
  };
  const Term x = input("x");
  const auto product = [&](const char* path) {
    const auto origin = std::make_shared<const Origin>(Origin{.path = path, .where = {}, .notes = {}});
    return builder.add("matmul", {x.id(), x.id()}, {{"transpose_a", true}}, {.origin = origin});
  };
  for (const char* const path : {"enc", "loss.mmd", "metric.mmd", "losses.mmd"})
    builder.output(path, product(path));
  PassOptions options;
  options.precision = Precision::bf16_emulated;
  const Graph graph = make_executable(std::move(builder).finish(), ops::registry(), options);
  const auto reads = [&](const char* output) {
    return graph.node(graph.node(graph.output(output)).inputs[0]).op->name;
  };
  CHECK(reads("enc") == "round_bf16");
  CHECK(reads("losses.mmd") == "round_bf16");
  CHECK(reads("loss.mmd") == "input");
  CHECK(reads("metric.mmd") == "input");
}

// ---- Steps ----

TEST_CASE("a step with emulated bf16 agrees with the f64 reference of its graph") {
  const auto graph = autoencoder([] {
    NetworkShape shape = at(Precision::bf16_emulated);
    shape.noise = false;
    return shape;
  }());
  for (const Precision precision : {Precision::bf16_emulated, Precision::bf16}) {
    if (precision == Precision::bf16 && !has_bf16()) continue;
    CAPTURE(to_string(precision));
    Session session(ops::registry(), ops::kernels(), with(precision));
    const ProgramId program = session.add(graph);
    session.variables().initialise(7);
    HostVariables exact = graphrun::testing::host_variables(session.variables());
    const auto inputs = graphrun::testing::batch_values(rows, network.widths.front(), 3);
    float loss = 0;
    std::vector<Fetch> fetches = {{"loss", std::as_writable_bytes(std::span(&loss, 1))}};
    const std::vector<Feed> feeds = inputs.feeds();
    Run run;
    run.batch = rows;
    run.feeds = feeds;
    run.fetches = fetches;
    session.run(program, run);
    const auto expected = interpret(*graph, exact, {rows, inputs.host(), {}});
    CHECK(std::abs(loss - expected[graph->output("loss")].values[0]) < 1e-5 * loss);
  }
}

TEST_CASE("a step with bf16 has the same bits at any number of threads") {
  constexpr int steps = 20;
  for (const Precision precision : {Precision::bf16_emulated, Precision::bf16}) {
    if (precision == Precision::bf16 && !has_bf16()) continue;
    const std::vector<float> expected = trained(precision, with(precision), steps);
    for (const int threads : {2, 3, 8}) {
      CAPTURE(to_string(precision), threads);
      CHECK(same_bits(trained(precision, with(precision, ExecutorKind::threads, threads), steps), expected));
    }
    SessionOptions separate = with(precision, ExecutorKind::threads, 4);
    separate.lowering.memory_sharing = false;
    CHECK(same_bits(trained(precision, separate, steps), expected));
  }
}

TEST_CASE("training with bf16, emulated or not, stays close to f32") {
  constexpr int steps = 50;
  const std::vector<float> exact = trained(Precision::f32, with(Precision::f32), steps);
  for (const Precision precision : {Precision::bf16_emulated, Precision::bf16}) {
    if (precision == Precision::bf16 && !has_bf16()) continue;
    CAPTURE(to_string(precision));
    const std::vector<float> near = trained(precision, with(precision), steps);
    CHECK_FALSE(same_bits(near, exact));
    for (int step = 0; step < steps; ++step)
      CHECK(std::abs(near[static_cast<std::size_t>(step)] / exact[static_cast<std::size_t>(step)] - 1) <
            5e-3);
  }
}

TEST_CASE("what products read is stored as bf16, and products run by instructions for it") {
  if (!has_bf16()) return;
  const auto graph = autoencoder(at(Precision::bf16));
  LoweringOptions options;
  options.precision = Precision::bf16_emulated;
  const auto emulated = lower(graph, rows, ops::kernels(), options);
  options.precision = Precision::bf16;
  const auto plan = lower(graph, rows, ops::kernels(), options);
  CHECK(plan->statistics.workspace_bytes < emulated->statistics.workspace_bytes);
  CHECK(plan->warnings.empty());
  for (const Unit& unit : plan->units) {
    if (unit.call == nullptr) CHECK(plan->implementation(unit).find("bf16") != std::string::npos);
  }
  options.keep_values = true;
  CHECK(lower(graph, rows, ops::kernels(), options)->values.size() > 0);
}

TEST_CASE("a product that reads a number known beforehand, or what is wanted as well, reads f32") {
  if (!has_bf16()) return;
  for (const bool constant : {false, true}) {
    CAPTURE(constant);
    Builder builder(ops::registry());
    const Shape shape = {Dim::batch(), Dim::number(2)};
    const Term x(builder, builder.add("input", {}, {{"shape", shape}}, {.name = "x"}));
    const NodeId read = builder.add("round_bf16", {x.id()});
    const NodeId w = constant ? builder.add("constant", {},
                                            {{"values", std::vector<double>{1, 2, 3, 4}},
                                             {"shape", Shape{Dim::number(2), Dim::number(2)}}})
                              : builder.add("param", {}, {{"shape", Shape{Dim::number(2), Dim::number(2)}}},
                                            {.name = "w"});
    const NodeId y = builder.add("matmul", {read, builder.add("round_bf16", {w})});
    builder.output("y", y);
    if (!constant) builder.output("read", read);
    LoweringOptions options;
    options.precision = Precision::bf16;
    const auto plan =
        lower(std::make_shared<const Graph>(std::move(builder).finish()), 4, ops::kernels(), options);
    for (const Unit& unit : plan->units) {
      if (unit.call == nullptr) CHECK(plan->implementation(unit).find("bf16") == std::string::npos);
    }
  }
}
