// Rounding to bf16, and products and convolutions of what is rounded against f64.
// What needs instructions for bf16 is only tested where they are; the emulated form is tested everywhere.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <random>
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
#include "tests/support/same_bits.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::runtime;
using graphrun::testing::same_bits;

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
  SessionOptions options;
  options.executor = ExecutorKind::serial;
  options.threads = 1;
  options.lowering.precision = precision;
  Session session(ops::registry(), ops::kernels(), options);
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
