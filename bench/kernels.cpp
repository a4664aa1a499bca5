// Own kernels alone, on one core: kernels
//
// Vector kernels over a block in the first-level cache, for each instruction set of this machine. Products of
// the shapes that bundled models and common layers have, by both providers in turns, warm, the best of many;
// the rows and results of four batches take turns, as slices of a step do. The last lines are by size: what
// the table in runtime/products/choose_product.cpp is made of.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <map>

#include "bench/ruler/fma_peak.hpp"
#include "bench/timing.hpp"
#include "ops/op.hpp"
#include "runtime/machine/aligned.hpp"
#include "runtime/machine/host_state.hpp"
#include "runtime/products/choose_product.hpp"
#include "runtime/products/provider.hpp"
#include "runtime/products/tiled_matmul.hpp"

namespace {

using namespace graphrun;
using namespace graphrun::runtime;

constexpr double seconds_each = 0.2;
constexpr int turns = 10;
constexpr double seconds_of_a_turn = 0.02;

double best_us(const auto& work, double seconds = seconds_each) {
  const std::vector<double> times = bench::times_us(seconds, work);
  return *std::ranges::min_element(times);
}

void measure_kernel(std::string_view op) {
  const KernelDef& kernel = *ops::kernels().find(ops::registry().get(op));
  constexpr std::size_t block = 1024;
  constexpr int blocks = 64;
  std::vector<float> input(block);
  std::vector<float> output(block);
  for (std::size_t i = 0; i < block; ++i) input[i] = static_cast<float>(i % 97) / 97 * 4 - 2;
  fmt::print("{:<10}", op);
  for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    if (isa > detected_isa()) break;
    const VectorFunction function = kernel.vector->function(isa);
    const double us = best_us([&] {
      for (int i = 0; i < blocks; ++i)
        function({{input.data(), input.data()}, output.data(), block, nullptr});
    });
    fmt::print(" {:>9.2f}", us * 1e3 * 16 / (blocks * block));
  }
  fmt::print("\n");
}

std::size_t bytes_of(std::int64_t floats) {
  return static_cast<std::size_t>(floats) * sizeof(float);
}

AlignedBytes halves(std::size_t bytes) {
  AlignedBytes memory = allocate_aligned(bytes);
  std::fill_n(reinterpret_cast<float*>(memory.get()), bytes / sizeof(float), 0.5F);
  return memory;
}

/// Operands of a product, for batches that take turns.
class Operands {
 public:
  explicit Operands(const MatmulSpec& spec)
      : a_bytes_(bytes_of(spec.rows * spec.inner)),
        c_bytes_(bytes_of(spec.rows * spec.columns)),
        a_(halves(batches * a_bytes_)),
        b_(halves(bytes_of(spec.inner * spec.columns))),
        c_(halves(batches * c_bytes_)) {}

  double best_us_of(const Matmul& matmul) const {
    const AlignedBytes scratch = allocate_aligned(matmul.scratch_bytes());
    const std::unique_ptr<BoundMatmul> bound = matmul.bind();
    const double us = best_us(
        [&] {
          for (std::size_t i = 0; i < batches; ++i) {
            bound->run({.a = reinterpret_cast<const float*>(a_.get() + i * a_bytes_),
                        .b = reinterpret_cast<const float*>(b_.get()),
                        .output = reinterpret_cast<float*>(c_.get() + i * c_bytes_),
                        .scratch = scratch.get()});
          }
        },
        seconds_of_a_turn);
    return us / static_cast<double>(batches);
  }

 private:
  static constexpr std::size_t batches = 4;

  std::size_t a_bytes_;  // of one batch
  std::size_t c_bytes_;
  AlignedBytes a_;
  AlignedBytes b_;
  AlignedBytes c_;
};

/// Times of tiles over those of oneDNN, by size.
using Ratios = std::map<ProductSize, std::vector<double>>;

void measure_product(const std::string& name, const MatmulSpec& spec, Ratios& ratios) {
  const Operands operands(spec);
  const auto made = [&](ProviderChoice choice) {
    return product_provider(spec, choice, detected_isa()).make(spec);
  };
  const std::unique_ptr<Matmul> tiled = made(ProviderChoice::tiles);
  const std::unique_ptr<Matmul> library = made(ProviderChoice::onednn);
  double ours = std::numeric_limits<double>::infinity();
  double theirs = ours;
  for (int turn = 0; turn < turns; ++turn) {  // many short ones, so that a busy host hits both
    ours = std::min(ours, operands.best_us_of(*tiled));
    theirs = std::min(theirs, operands.best_us_of(*library));
  }
  ratios[size_of(spec)].push_back(ours / theirs);
  const double flop = 2.0 * static_cast<double>(spec.rows * spec.columns * spec.inner);
  fmt::print("{:<34} {:>9.1f} {:>9.1f} {:>9.2f}   {}, {}\n", name, flop / ours * 1e-3, flop / theirs * 1e-3,
             ours / theirs, tiled->implementation(), library->implementation());
}

/// Their geometric mean, and whom the table takes.
void print_sizes(const Ratios& ratios) {
  fmt::print("\n{:<34} {:>9} {:>9}   on {}\n", "by size", "time", "auto", to_string(detected_isa()));
  for (const auto& [size, values] : ratios) {
    double sum = 0;
    for (const double value : values) sum += std::log(value);
    fmt::print("{:<34} {:>9.2f} {:>9}\n", to_string(size), std::exp(sum / static_cast<double>(values.size())),
               to_string(choose_product(size, detected_isa())));
  }
}

}  // namespace

int main() {
  return bench::run_program([] {
    const HostState state;
    fmt::print("{:<10} {:>9} {:>9} {:>9}  ns for sixteen elements\n", "", "baseline", "avx2", "avx512");
    for (const char* const op : {"add", "exp", "tanh", "sigmoid"}) measure_kernel(op);
    if (!has_tiles(detected_isa())) return;
    fmt::print("\n{:<34} {:>9} {:>9} {:>9}   peak {:.0f} GFLOP/s\n", "GFLOP/s", "tiles", "oneDNN", "time",
               bench::measure_fma_peak(1, 0.2));
    Ratios ratios;
    const auto measure = [&](std::int64_t rows, std::int64_t inner, std::int64_t columns, bool transpose_a,
                             bool transpose_b) {
      measure_product(fmt::format("{} x {} to {}{}", rows, inner, columns,
                                  transpose_a   ? ", transposed a"
                                  : transpose_b ? ", transposed b"
                                                : ""),
                      {.rows = rows,
                       .columns = columns,
                       .inner = inner,
                       .transpose_a = transpose_a,
                       .transpose_b = transpose_b},
                      ratios);
    };
    for (const std::int64_t rows : {1, 2, 3}) measure(rows, 784, 256, false, false);
    measure(1, 1000, 1000, false, false);
    for (const bool transpose_b : {false, true}) {
      measure(256, 64, 2, false, transpose_b);
      measure(64, 128, 10, false, transpose_b);
      for (const std::int64_t rows : {32, 64, 256}) {
        measure(rows, 784, 256, false, transpose_b);
        measure(rows, 256, 128, false, transpose_b);
        measure(rows, 256, 784, false, transpose_b);
      }
      for (const std::int64_t units : {512, 1000, 1024, 2048}) {
        for (const std::int64_t rows : {64, 256}) measure(rows, units, units, false, transpose_b);
      }
    }
    for (const std::int64_t batch : {64, 1024}) {
      measure(64, batch, 2, true, false);
      measure(784, batch, 256, true, false);
      measure(1000, batch, 500, true, false);
    }
    print_sizes(ratios);
    fmt::print("peak {:.0f} GFLOP/s\n", bench::measure_fma_peak(1, 0.2));
  });
}
