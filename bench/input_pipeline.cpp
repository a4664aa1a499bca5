// The input pipeline alone: input_pipeline [MODEL] [--batch N] [--threads N]
//
// Reading the data of a model, gathering batches in a shuffled order, and what gathering costs a training
// step: not done at all, done as side work while the step before runs, and done before each step. The input's
// share of a step is what it takes longer than one for which nothing is gathered.
#include <fmt/format.h>

#include "bench/timing.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/datasets/prefetch.hpp"
#include "train/datasets/tables/shuffle.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/learner.hpp"

namespace {

using namespace graphrun;

class Pipeline {
 public:
  Pipeline(train::Learner& learner, const train::Examples& examples, std::int64_t batch)
      : learner_(learner),
        batch_(batch),
        batches_(examples, learner.training_inputs(), batch),
        order_(train::epoch_order(1, 0, examples.count, train::bytes_per_example(examples))),
        figures_(learner.training_figures().size()) {
    batches_.gather(next());
  }

  void gather() { batches_.gather(next()); }
  void step() { learner_.step(batches_.current().feeds(), batch_, 0, figures_); }
  void gather_and_step() {
    gather();
    step();
  }
  void step_beside_gathering() {
    batches_.announce(next());
    learner_.step(batches_.current().feeds(), batch_, 0, figures_, {}, &batches_);
    batches_.advance();
  }

 private:
  std::span<const std::uint32_t> next() {
    const auto rows = static_cast<std::size_t>(batch_);
    if (at_ + rows > order_.size()) at_ = 0;
    const std::span<const std::uint32_t> list = std::span(order_).subspan(at_, rows);
    at_ += rows;
    return list;
  }

  train::Learner& learner_;
  std::int64_t batch_;
  train::PrefetchedBatches batches_;
  std::vector<std::uint32_t> order_;
  std::size_t at_ = 0;
  std::vector<float> figures_;
};

}  // namespace

int main(int count, char** arguments) {
  return bench::run_program([&] {
    bench::Words words(count, arguments);
    runtime::SessionOptions options;
    options.threads = words.number("threads", 0);
    const int asked = words.number("batch", 0);
    const train::SharedDefinition model = train::load_definition(words.word(0, "models/autoencoder.yaml"));
    const std::int64_t batch = asked > 0 ? asked : model->train->batch;

    const bench::Clock::time_point start = bench::Clock::now();
    const train::Dataset data = train::load_model_data(*model);
    fmt::print("{}: {} training and {} test images read in {:.0f} ms\n", data.name, data.train.count,
               data.test.count, bench::seconds_since(start) * 1e3);
    const train::Examples examples =
        train::bind_images(*model, std::make_shared<const train::ImageSet>(data.train));

    train::Learner learner(model, options);
    learner.prepare_training(batch);
    learner.initialise();
    Pipeline pipeline(learner, examples, batch);
    std::vector<double> gathering;
    std::vector<double> alone;
    std::vector<double> beside;
    std::vector<double> before;
    for (int turn = 0; turn < 8; ++turn) {
      gathering.push_back(bench::median(bench::times_us(0.1, [&] { pipeline.gather(); })));
      bench::times_us(0.02, [&] { pipeline.step(); });
      alone.push_back(bench::median(bench::times_us(0.3, [&] { pipeline.step(); })));
      beside.push_back(bench::median(bench::times_us(0.3, [&] { pipeline.step_beside_gathering(); })));
      before.push_back(bench::median(bench::times_us(0.3, [&] { pipeline.gather_and_step(); })));
    }
    const double us = bench::median(gathering);
    fmt::print("batches of {}, {} threads\n", batch, learner.session().threads());
    fmt::print("  gathering alone            {:8.1f} us, {:.0f} images/s\n", us,
               static_cast<double>(batch) / us * 1e6);
    fmt::print("  a step, nothing gathered   {:8.1f} us\n", bench::median(alone));
    const auto print_share = [&](const char* how, const std::vector<double>& times) {
      const double step = bench::median(times);
      fmt::print("  {:<25}  {:8.1f} us, of which the input {:.1f} %\n", how, step,
                 100 * std::max(0.0, 1 - bench::median(alone) / step));
    };
    print_share("gathered as side work", beside);
    print_share("gathered before each step", before);
  });
}
