// Inference on any number of rows: inference [MODEL] [--output NAME] [--threads N]
//
// One call of a model's output, codes by default, on so many rows: the median, and what that is an image. The
// first call of a size compiles what it needs.
#include <fmt/format.h>

#include "bench/timing.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/learner.hpp"

namespace {

using namespace graphrun;

void measure(train::Learner& learner, const std::string& output, std::int64_t rows) {
  const ModelInput& input = learner.model().inputs.front();
  const std::int64_t elements = 784;
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(rows * elements));
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<std::uint8_t>(i * 2654435761U >> 7U);
  train::Examples examples;
  examples.count = rows;
  examples.columns[input.name] = {train::ColumnKind::u8_pixels, elements, std::as_bytes(std::span(pixels))};
  const bench::Clock::time_point start = bench::Clock::now();
  std::vector<train::OutputValues> values = learner.run({output}, examples);
  const double first_ms = bench::seconds_since(start) * 1e3;
  const std::vector<std::span<std::byte>> into = {values.front().bytes};
  const std::vector<double> times = bench::times_us(0.4, [&] { learner.run({output}, examples, into); });
  const double us = bench::median(times);
  fmt::print("{:>8} {:>10.1f} {:>12.3f} {:>14.0f} {:>12.2f}\n", rows, us, us / static_cast<double>(rows),
             static_cast<double>(rows) / us * 1e6, first_ms);
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run_program([&] {
    bench::Words words(count, arguments);
    runtime::SessionOptions options;
    options.threads = words.number("threads", 0);
    const std::string output = words.option("output", "code");
    train::Learner learner(train::load_definition(words.word(0, "models/autoencoder.yaml")), options);
    learner.initialise();
    fmt::print("{}: '{}' on {} threads\n{:>8} {:>10} {:>12} {:>14} {:>12}\n", learner.model().name, output,
               learner.session().threads(), "rows", "us a call", "us an image", "images/s", "first, ms");
    for (const std::int64_t rows : {1, 2, 4, 16, 64, 128, 512, 1000, 10'000}) measure(learner, output, rows);
  });
}
