#include "runtime/products/matmul.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "ops/op.hpp"
#include "runtime/machine/aligned.hpp"
#include "runtime/machine/host_state.hpp"
#include "runtime/products/choose_product.hpp"
#include "runtime/products/few_rows_matmul.hpp"
#include "runtime/products/onednn.hpp"
#include "runtime/products/provider.hpp"
#include "runtime/products/tiled_matmul.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun::runtime;
using graphrun::testing::random_values;

namespace {

struct Case {
  MatmulSpec spec;
  std::vector<float> a, b, bias, output, column_sums;

  Case(const MatmulSpec& given, std::mt19937& generator)
      : spec(given),
        a(random_values(generator, spec.rows * spec.inner)),
        b(random_values(generator, spec.inner * spec.columns)),
        bias(random_values(generator, spec.columns)),
        output(static_cast<std::size_t>(spec.rows * spec.columns), -99.0F),
        column_sums(static_cast<std::size_t>(spec.columns), -99.0F) {}

  void run(const Matmul& matmul) {
    const HostState state;
    const AlignedBytes scratch = allocate_aligned(matmul.scratch_bytes());
    REQUIRE(matmul.bind()->run({.a = a.data(),
                                .b = b.data(),
                                .bias = spec.bias ? bias.data() : nullptr,
                                .output = output.data(),
                                .scratch = scratch.get(),
                                .column_sums = spec.column_sums ? column_sums.data() : nullptr}));
  }

  double expected(std::int64_t i, std::int64_t j) const {
    double sum = spec.bias ? bias[static_cast<std::size_t>(j)] : 0;
    for (std::int64_t k = 0; k < spec.inner; ++k) {
      const auto at_a = spec.transpose_a ? k * spec.rows + i : i * spec.inner + k;
      const auto at_b = spec.transpose_b ? j * spec.inner + k : k * spec.columns + j;
      sum += static_cast<double>(a[static_cast<std::size_t>(at_a)]) * b[static_cast<std::size_t>(at_b)];
    }
    return sum;
  }

  double worst(double (*activation)(double)) const {
    double worst = 0;
    for (std::int64_t i = 0; i < spec.rows; ++i) {
      for (std::int64_t j = 0; j < spec.columns; ++j) {
        const double difference =
            activation(expected(i, j)) - output[static_cast<std::size_t>(i * spec.columns + j)];
        worst = std::max(worst, std::abs(difference));
      }
    }
    return worst;
  }
};

double identity(double x) {
  return x;
}

std::vector<Isa> tiled_sets() {
  std::vector<Isa> sets;
  for (const Isa isa : {Isa::avx2, Isa::avx512}) {
    if (isa <= detected_isa() && has_tiles(isa)) sets.push_back(isa);
  }
  return sets;
}

/// One chain of fused multiply-adds, from the bias on: what every tile promises to the bit.
float chain(const Case& test, std::int64_t i, std::int64_t j) {
  const MatmulSpec& spec = test.spec;
  float sum = spec.bias ? test.bias[static_cast<std::size_t>(j)] : 0;
  for (std::int64_t k = 0; k < spec.inner; ++k) {
    const auto at_a = spec.transpose_a ? k * spec.rows + i : i * spec.inner + k;
    const auto at_b = spec.transpose_b ? j * spec.inner + k : k * spec.columns + j;
    sum = std::fma(test.a[static_cast<std::size_t>(at_a)], test.b[static_cast<std::size_t>(at_b)], sum);
  }
  return sum;
}

/// How many elements differ from the chain in any bit.
int unlike_chain(const Case& test) {
  int count = 0;
  for (std::int64_t i = 0; i < test.spec.rows; ++i) {
    for (std::int64_t j = 0; j < test.spec.columns; ++j) {
      const float made = test.output[static_cast<std::size_t>(i * test.spec.columns + j)];
      if (std::bit_cast<std::uint32_t>(made) != std::bit_cast<std::uint32_t>(chain(test, i, j))) ++count;
    }
  }
  return count;
}

}  // namespace

TEST_CASE("products of all kinds agree with f64 and never run on a reference implementation") {
  std::mt19937 generator(1);
  const std::vector<std::array<std::int64_t, 3>> sizes = {{1, 1, 1},      {1, 784, 256}, {64, 256, 784},
                                                          {5, 7, 1},      {64, 2, 64},   {17, 30, 2},
                                                          {784, 256, 64}, {32, 64, 128}};
  for (const auto& [rows, columns, inner] : sizes) {
    for (int flags = 0; flags < 8; ++flags) {
      CAPTURE(rows, columns, inner, flags);
      Case test({rows, columns, inner, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, {}}, generator);
      const auto matmul = make_onednn_matmul(test.spec);
      test.run(*matmul);
      CHECK(matmul->implementation().starts_with("oneDNN "));
      CHECK_FALSE(is_reference_implementation(matmul->implementation()));
      CHECK(test.worst(identity) < 2e-6 * std::sqrt(static_cast<double>(inner)) * 4);
    }
  }
}

TEST_CASE("a tiled product is one chain of fused multiply-adds for each element, bit for bit") {
  std::mt19937 generator(11);
  std::vector<std::array<std::int64_t, 3>> sizes = {
      {1, 1, 1},
      {13, 784, 20},
      {29, 256, 77},
      {5, 7, 1},
      {64, 2, 64},
      {3, 30, 2},
      {31, 15, 9},
      {15, 16, 8},
      {14, 17, 33},
      {28, 33, 0},
      {6, 8, 40},
      {200, 48, 700},
      {7, 9, 5000},
      {16, 1, 1},
      {40, 3, 20},
      {33, 15, 50},
      {8, 2, 0},
      {100, 4, 300},
      {47, 7, 13},
      {140, 130, 1024},
      // Copied for the caches: rows of `b` a multiple of 4 KiB apart, tiles of `a`, several chunks of both.
      {20, 1024, 300},
      {60, 260, 400},
      {300, 290, 1100}};
  for (int i = 0; i < 20; ++i) {
    sizes.push_back({1 + static_cast<std::int64_t>(generator() % 70),
                     1 + static_cast<std::int64_t>(generator() % 90),
                     static_cast<std::int64_t>(generator() % 60)});
  }
  for (const Isa isa : tiled_sets()) {
    for (const auto& [rows, columns, inner] : sizes) {
      for (int flags = 0; flags < 8; ++flags) {
        CAPTURE(to_string(isa), rows, columns, inner, flags);
        MatmulSpec spec{.rows = rows, .columns = columns, .inner = inner};
        spec.transpose_a = (flags & 1) != 0;
        spec.transpose_b = (flags & 2) != 0;
        spec.bias = (flags & 4) != 0;
        Case test(spec, generator);
        test.run(*make_tiled_matmul(spec, isa));
        CHECK(unlike_chain(test) == 0);
      }
    }
  }
}

TEST_CASE("a row has the same bits in a product of few rows as in one of many") {
  std::mt19937 generator(13);
  for (const Isa isa : tiled_sets()) {
    for (const std::int64_t columns : {8, 9, 16, 31, 64, 100, 129, 300}) {
      for (const bool bias : {false, true}) {
        CAPTURE(to_string(isa), columns, bias);
        const MatmulSpec spec{.rows = 10, .columns = columns, .inner = 53, .bias = bias};
        Case whole(spec, generator);
        whole.run(*make_tiled_matmul(spec, isa));
        for (std::int64_t rows = 1; rows <= 4; ++rows) {
          MatmulSpec few = spec;
          few.rows = rows;
          Case part = whole;
          part.spec = few;
          std::ranges::fill(part.output, -99.0F);
          const auto matmul = make_tiled_matmul(few, isa);
          CHECK(matmul->implementation().starts_with(has_few_rows(few, isa) ? "few rows" : "tiles"));
          part.run(*matmul);
          const auto written = static_cast<std::ptrdiff_t>(rows * columns);
          CHECK(std::equal(part.output.begin(), part.output.begin() + written, whole.output.begin()));
          // Nothing behind the rows is touched.
          CHECK(std::all_of(part.output.begin() + written, part.output.end(),
                            [](float value) { return value == -99.0F; }));
        }
      }
    }
  }
}

TEST_CASE("oneDNN makes some rows of a transposed product, and sums of columns beside it") {
  std::mt19937 generator(16);
  for (const Isa isa : tiled_sets()) {
    for (const std::int64_t columns : {37, 2}) {
      CAPTURE(to_string(isa), columns);
      Case whole({.rows = 50, .columns = columns, .inner = 21, .transpose_a = true}, generator);
      MatmulSpec part = whole.spec;
      part.rows = 17;
      part.a_stride = 50;
      part.column_sums = true;
      const auto matmul = make_onednn_matmul(part, isa);
      const AlignedBytes scratch = allocate_aligned(matmul->scratch_bytes());
      std::vector<float> output(static_cast<std::size_t>(17 * columns) + 1, -99.0F);
      const HostState state;
      REQUIRE(matmul->bind()->run({.a = whole.a.data() + 20,
                                   .b = whole.b.data(),
                                   .output = output.data(),
                                   .scratch = scratch.get(),
                                   .column_sums = whole.column_sums.data()}));
      for (std::int64_t i = 0; i < 17 * columns; ++i) {
        const double exact = whole.expected(20 + i / columns, i % columns);
        CHECK(std::abs(output[static_cast<std::size_t>(i)] - exact) < 1e-5);
      }
      CHECK(output.back() == -99.0F);
      std::vector<float> expected(static_cast<std::size_t>(columns));
      for (std::size_t i = 0; i < whole.b.size(); ++i) expected[i % expected.size()] += whole.b[i];
      CHECK(whole.column_sums == expected);
    }
  }
}

TEST_CASE("some rows of a transposed product have the bits that they have in the whole one") {
  std::mt19937 generator(12);
  for (const Isa isa : tiled_sets()) {
    // The last is copied in tiles.
    for (const auto& [columns, rows] :
         std::vector<std::pair<std::int64_t, std::int64_t>>{{37, 17}, {2, 17}, {270, 75}}) {
      CAPTURE(to_string(isa), columns, rows);
      const MatmulSpec spec{.rows = rows + 33, .columns = columns, .inner = 210, .transpose_a = true};
      Case whole(spec, generator);
      whole.run(*make_tiled_matmul(spec, isa));
      MatmulSpec part = spec;
      part.rows = rows;
      part.a_stride = spec.rows;
      std::vector<float> output(static_cast<std::size_t>(rows * columns));
      const auto matmul = make_tiled_matmul(part, isa);
      const AlignedBytes scratch = allocate_aligned(matmul->scratch_bytes());
      const HostState state;
      REQUIRE(matmul->bind()->run({.a = whole.a.data() + 20,
                                   .b = whole.b.data(),
                                   .output = output.data(),
                                   .scratch = scratch.get()}));
      CHECK(std::equal(output.begin(), output.end(), whole.output.begin() + 20 * columns));
    }
  }
}

TEST_CASE("a product of few columns runs as its transpose, with the same bits") {
  std::mt19937 generator(15);
  for (const Isa isa : tiled_sets()) {
    for (const std::int64_t columns : {1, 2, 7}) {
      for (int flags = 0; flags < 8; ++flags) {
        CAPTURE(to_string(isa), columns, flags);
        const MatmulSpec spec{.rows = 75,
                              .columns = columns,
                              .inner = 90,
                              .transpose_a = (flags & 1) != 0,
                              .transpose_b = (flags & 2) != 0,
                              .bias = (flags & 4) != 0};
        const auto matmul = make_tiled_matmul(spec, isa);
        const bool few = spec.transpose_a ? !spec.bias : 4 * columns <= (isa == Isa::avx512 ? 16 : 8);
        CHECK(matmul->implementation().starts_with(few ? "few columns" : "tiles"));
        Case test(spec, generator);
        test.run(*matmul);
        CHECK(unlike_chain(test) == 0);
        // Every product is -0, so that the sign of the bias decides that of the result.
        std::ranges::fill(test.a, -0.0F);
        std::ranges::fill(test.b, 1.0F);
        test.bias[0] = -0.0F;
        test.run(*matmul);
        CHECK(unlike_chain(test) == 0);
      }
    }
  }
}

TEST_CASE("a tiled product sums the columns of its right operand row after row") {
  std::mt19937 generator(14);
  for (const Isa isa : tiled_sets()) {
    for (const std::int64_t columns : {3, 8, 16, 31, 64, 100, 129, 300}) {
      // The second is worked on in several chunks.
      for (const auto& [rows, inner] :
           std::vector<std::pair<std::int64_t, std::int64_t>>{{37, 21}, {300, 900}}) {
        CAPTURE(to_string(isa), columns, rows);
        const MatmulSpec spec{
            .rows = rows, .columns = columns, .inner = inner, .transpose_a = true, .column_sums = true};
        Case test(spec, generator);
        test.run(*make_tiled_matmul(spec, isa));
        std::vector<float> expected(static_cast<std::size_t>(columns));
        for (std::size_t i = 0; i < test.b.size(); ++i) expected[i % expected.size()] += test.b[i];
        CHECK(test.column_sums == expected);
        CHECK(test.worst(identity) < 1e-4);
      }
    }
  }
}

TEST_CASE("a tiled product runs an activation over what it made, and lets NaN through") {
  std::mt19937 generator(13);
  const VectorFunction twice = [](const VectorArguments& a) noexcept {
    for (std::size_t i = 0; i < a.count; ++i) a.output[i] = a.inputs[0][i] * a.immediates[0];
  };
  for (const Isa isa : tiled_sets()) {
    for (const std::int64_t columns : {3, 40}) {
      MatmulSpec spec{.rows = 300, .columns = columns, .inner = 400, .bias = true};
      Case plain(spec, generator);
      Case doubled = plain;
      plain.a[400 * 7] = doubled.a[400 * 7] = std::numeric_limits<float>::quiet_NaN();
      plain.run(*make_tiled_matmul(spec, isa));
      doubled.spec.activation = Activation{twice, {2.0F}, {}};
      doubled.run(*make_tiled_matmul(doubled.spec, isa));
      for (std::size_t i = 0; i < plain.output.size(); ++i) {
        const bool bad = i / static_cast<std::size_t>(columns) == 7;
        CHECK(std::isnan(doubled.output[i]) == bad);
        if (!bad) CHECK(doubled.output[i] == 2 * plain.output[i]);
      }
    }
  }
}

namespace {

/// What lowering makes of the op of this name.
Activation activation_of(const PostOpSpec& named) {
  constexpr std::array<const char*, 8> ops = {"relu", "leaky_relu", "elu",  "gelu",
                                              "silu", "sigmoid",    "tanh", "softplus"};
  const char* const op = ops.at(static_cast<std::size_t>(named.kind));
  const KernelDef& kernel = *graphrun::ops::kernels().find(graphrun::ops::registry().get(op));
  return {kernel.vector->function(detected_isa()), {named.alpha}, named};
}

}  // namespace

TEST_CASE("activations ride on a product") {
  const std::vector<std::pair<PostOpSpec, double (*)(double)>> activations = {
      {{PostOp::relu}, [](double x) { return std::max(x, 0.0); }},
      {{PostOp::leaky_relu, 0.1F}, [](double x) { return x < 0 ? 0.1 * x : x; }},
      {{PostOp::elu, 1}, [](double x) { return x < 0 ? std::expm1(x) : x; }},
      {{PostOp::gelu}, [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }},
      {{PostOp::silu}, [](double x) { return x / (1 + std::exp(-x)); }},
      {{PostOp::sigmoid}, [](double x) { return 1 / (1 + std::exp(-x)); }},
      {{PostOp::tanh}, [](double x) { return std::tanh(x); }},
      {{PostOp::softplus}, [](double x) { return std::log1p(std::exp(x)); }}};
  std::mt19937 generator(2);
  for (const auto& [activation, exact] : activations) {
    for (const std::int64_t inner : {0, 3, 40}) {
      CAPTURE(static_cast<int>(activation.kind), inner);
      Case test({19, 33, inner, false, false, true, activation_of(activation)}, generator);
      const auto matmul = make_onednn_matmul(test.spec);
      test.run(*matmul);
      CHECK_FALSE(is_reference_implementation(matmul->implementation()));
      CHECK(test.worst(exact) < 1e-5);
    }
  }
}

TEST_CASE("a NaN goes through every activation that rides on a product") {
  std::mt19937 generator(3);
  for (const PostOp kind : {PostOp::relu, PostOp::leaky_relu, PostOp::elu, PostOp::gelu, PostOp::silu,
                            PostOp::sigmoid, PostOp::tanh, PostOp::softplus}) {
    CAPTURE(static_cast<int>(kind));
    CHECK(lets_nan_through({kind, 0.1F}) == (kind != PostOp::relu));
    Case test({16, 16, 16, false, false, false, activation_of({kind, 0.1F})}, generator);
    for (float& value : test.a) value = std::numeric_limits<float>::quiet_NaN();
    test.run(*make_onednn_matmul(test.spec));
    CHECK(std::isnan(test.output[5]));
  }
  CHECK_FALSE(lets_nan_through({PostOp::leaky_relu, 0}));
}

TEST_CASE("an empty product is zero plus bias, or nothing") {
  std::mt19937 generator(3);
  Case no_inner({3, 2, 0, false, false, true, {}}, generator);
  no_inner.run(*make_onednn_matmul(no_inner.spec));
  CHECK(no_inner.worst(identity) == 0);
  Case no_rows({0, 2, 4, false, false, true, {}}, generator);
  no_rows.run(*make_onednn_matmul(no_rows.spec));
}

TEST_CASE("one primitive runs from several bound copies") {
  std::mt19937 generator(4);
  Case first({8, 8, 8, false, false, false, {}}, generator);
  Case second(first.spec, generator);
  const auto matmul = make_onednn_matmul(first.spec);
  first.run(*matmul);
  second.run(*matmul);
  CHECK(first.worst(identity) < 1e-5);
  CHECK(second.worst(identity) < 1e-5);
}

// ---- Providers
// ---------------------------------------------------------------------------------------------

TEST_CASE("a choice of provider has its word") {
  for (const ProviderChoice choice :
       {ProviderChoice::automatic, ProviderChoice::onednn, ProviderChoice::tiles})
    CHECK(provider_choice(to_string(choice)) == choice);
  CHECK_FALSE(provider_choice("mkl"));
}

TEST_CASE("a product goes to the provider that was asked for, if that can run it") {
  const MatmulSpec spec{.rows = 64, .columns = 256, .inner = 784};
  for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    if (isa > detected_isa()) break;
    CAPTURE(to_string(isa));
    const auto made = [&](ProviderChoice choice) {
      return product_provider(spec, choice, isa).make(spec)->implementation();
    };
    CHECK(made(ProviderChoice::onednn).starts_with("oneDNN "));
    CHECK(made(ProviderChoice::tiles).starts_with(isa == Isa::baseline ? "oneDNN " : "tiles:"));
    const ProviderChoice chosen = choose_product(size_of(spec), isa);
    CHECK(chosen == (isa == Isa::baseline ? ProviderChoice::onednn : ProviderChoice::tiles));
  }
}

TEST_CASE("a provider does what it says it can") {
  std::mt19937 generator(17);
  for (const ProviderChoice choice : {ProviderChoice::onednn, ProviderChoice::tiles}) {
    for (const Isa isa : tiled_sets()) {
      for (int flags = 0; flags < 4; ++flags) {
        CAPTURE(to_string(choice), to_string(isa), flags);
        MatmulSpec spec{.rows = 40, .columns = 24, .inner = 30};
        spec.transpose_a = (flags & 1) != 0;
        spec.transpose_b = (flags & 2) != 0;
        spec.activation = activation_of({PostOp::relu});
        const ProductProvider& provider = product_provider(spec, choice, isa);
        const ProductCapabilities can = provider.capabilities(spec);
        CHECK((can.runs && can.activation && can.fewest_part_rows > 0));
        CHECK(can.column_sums == (flags == 1));
        spec.column_sums = can.column_sums;
        Case test(spec, generator);
        test.run(*provider.make(spec));
        CHECK(test.worst([](double x) { return std::max(x, 0.0); }) < 1e-5);
        CHECK((test.column_sums[0] != -99.0F) == can.column_sums);
      }
    }
  }
}

TEST_CASE("sizes of products by what their time depends on") {
  CHECK(size_of({.rows = 3, .columns = 500, .inner = 500}) == ProductSize::few_rows);
  CHECK(size_of({.rows = 64, .columns = 2, .inner = 500}) == ProductSize::few_columns);
  CHECK(size_of({.rows = 32, .columns = 64, .inner = 128}) == ProductSize::small);
  CHECK(size_of({.rows = 128, .columns = 1000, .inner = 784}) == ProductSize::large);
}

TEST_CASE("a oneDNN that starts threads of its own is refused, and says what to install") {
  constexpr unsigned sequential = 1;
  constexpr unsigned openmp = 2;
  constexpr unsigned tbb = 4;
  require_one_thread(sequential);
  require_one_thread(openmp);
  CHECK(graphrun::testing::throws([] { require_one_thread(tbb); }, graphrun::ErrorCode::io,
                                  "this oneDNN was built to start threads of its own (those of TBB), which "
                                  "would change results with their number; install one that is built for "
                                  "OpenMP"));
}
