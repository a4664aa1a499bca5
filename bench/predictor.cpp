// A predictor inside a server: predictor [MODEL] [--rows N] [--threads N] [--seconds N]
//
// One call after the other in each of the threads, by default one for each core, on rows of their own:
// median, 99th of a hundred and worst time of a call, beside those of one thread alone, and what the
// predictor takes beside the weights.
#include <fmt/format.h>
#include <malloc.h>

#include <cstdint>
#include <thread>

#include "bench/timing.hpp"
#include "graphrun/graphrun.hpp"
#include "runtime/machine/resources.hpp"

namespace {

using namespace graphrun;

/// A call on rows of its own.
class Call {
 public:
  Call(const Predictor& predictor, std::int64_t rows)
      : predictor_(predictor),
        input_(elements_of(predictor.inputs().front(), rows), 0.5F),
        output_(elements_of(predictor.outputs().front(), rows)) {}
  void run() const { predictor_.predict(std::span<const float>(input_), std::span(output_)); }

 private:
  static std::size_t elements_of(const TensorInfo& info, std::int64_t rows) {
    std::int64_t count = rows;
    for (std::size_t i = 1; i < info.shape.size(); ++i) count *= info.shape[i];
    return static_cast<std::size_t>(count);
  }

  const Predictor& predictor_;
  std::vector<float> input_;
  mutable std::vector<float> output_;
};

std::vector<double> calls(const Predictor& predictor, std::int64_t rows, double seconds) {
  const Call call(predictor, rows);
  return bench::times_us(seconds, [&] { call.run(); });
}

void print(const std::string& what, std::vector<double> times) {
  std::sort(times.begin(), times.end());
  const double median = times[times.size() / 2];
  const double p99 = times[times.size() * 99 / 100];
  fmt::print("{:<24} {:>10.2f} {:>10.2f} {:>10.2f} {:>10.2f}\n", what, median, p99, p99 / median,
             times.back());
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run_program([&] {
    bench::Words words(count, arguments);
    const int rows = words.number("rows", 1);
    const int threads = words.number("threads", static_cast<int>(runtime::available_threads()));
    const double seconds = words.number("seconds", 2);
    const Model model = Model::load(words.word(0, "models/autoencoder.yaml"));
    const Session session(model);
    const Weights weights = session.weights();
    const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    const Predictor predictor(model, weights);
    predictor.prepare(rows, 1);
    const std::size_t bytes = mallinfo2().uordblks + mallinfo2().hblkhd - before;
    predictor.prepare(rows, threads);
    fmt::print("'{}' of {} rows; {} KiB beside the weights\n", model.name(), rows, bytes / 1024);
    fmt::print("{:<24} {:>10} {:>10} {:>10} {:>10}\n", "us a call", "median", "p99", "p99/median", "worst");
    print("one thread", calls(predictor, rows, seconds));
    std::vector<std::vector<double>> times(static_cast<std::size_t>(threads));
    {
      std::vector<std::jthread> running;
      for (std::vector<double>& own : times)
        running.emplace_back([&] { own = calls(predictor, rows, seconds); });
    }
    std::vector<double> all;
    for (const std::vector<double>& own : times) all.insert(all.end(), own.begin(), own.end());
    print(fmt::format("{} threads at once", threads), all);
  });
}
