// How soon something happens: start_up [MODEL]
//
// `graphrun check` of a model as a whole process, and a training process from its start to the end of its
// first step, the data set read and unzipped on the way. Each several times; the median and the best.
#include <fmt/format.h>

#include <filesystem>

#include "bench/child.hpp"
#include "train/learn/definition.hpp"
#include "train/run/run.hpp"

namespace {

using namespace graphrun;

/// Tells when the first step is done, by the clock that processes share, and stops the run.
class FirstStep final : public train::RunObserver {
 public:
  void on_step(const train::StageView&, const train::StepReport&) override {
    if (!done_) fmt::print("{}", bench::Clock::now().time_since_epoch().count());
    done_ = true;
  }

 private:
  bool done_ = false;
};

std::string run_folder() {
  return (std::filesystem::temp_directory_path() / "graphrun-start-up").string();
}

void train_one_step(const std::string& file) {
  std::filesystem::remove_all(run_folder());
  train::RunOptions options;
  options.out = run_folder();
  options.max_steps = 1;
  FirstStep observer;
  train::start_run(train::load_definition(file), options, observer);
  std::filesystem::remove_all(run_folder());
}

void print(const std::string& what, std::vector<double> milliseconds) {
  const double best = *std::min_element(milliseconds.begin(), milliseconds.end());
  fmt::print("{:<48}{:8.1f} ms, {:.1f} at best\n", what, bench::median(std::move(milliseconds)), best);
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run_program([&] {
    bench::Words words(count, arguments);
    if (const std::string file = words.option("train", ""); !file.empty()) {
      train_one_step(file);
      return;
    }
    const std::string file = words.word(0, "models/autoencoder.yaml");
    std::vector<double> check;
    for (int i = 0; i < 20; ++i)
      check.push_back(bench::run_child({bench::graphrun_path(), "check", file}).milliseconds);
    print("graphrun check, whole process", check);
    std::vector<double> first_step;
    for (int i = 0; i < 7; ++i) {
      const auto start = bench::Clock::now().time_since_epoch().count();
      const bench::ChildResult child = bench::run_child({bench::own_path(), "--train", file});
      if (child.status != 0) throw std::runtime_error("training failed");
      first_step.push_back(static_cast<double>(std::stoll(child.output) - start) / 1e6);
    }
    print("start of the process to the first step", first_step);
  });
}
