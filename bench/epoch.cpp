// A whole epoch against its steps: epoch [MODEL] [--batch N] [--epochs N] [--threads N]
//
// An epoch is what one more of them adds to the time of a whole `graphrun train` on the model's own data:
// steps, evaluation, metrics, pictures and checkpoint. It is divided by its steps as `graphrun bench`
// measures them before, between and after. Each is a process of its own.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include "bench/child.hpp"

namespace {

using namespace graphrun;

/// The number behind a key of what --json prints.
double number_of(const bench::ChildResult& child, const std::string& key) {
  const std::size_t at = child.output.find("\"" + key + "\": ");
  if (child.status != 0 || at == std::string::npos) throw std::runtime_error("graphrun failed");
  return std::stod(child.output.substr(at + key.size() + 4));
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run_program([&] {
    bench::Words words(count, arguments);
    const std::string batch = words.option("batch", "64");
    const int epochs = words.number("epochs", 8);
    const std::string threads = words.option("threads", "0");
    const std::string file = words.word(0, "models/autoencoder.yaml");
    const std::string folder = (std::filesystem::temp_directory_path() / "graphrun-epoch").string();
    std::filesystem::remove_all(folder);
    const auto step_us = [&] {
      return number_of(bench::run_child({bench::graphrun_path(), "bench", file, "--batch", batch, "--threads",
                                         threads, "--seconds", "1", "--json"}),
                       "median");
    };
    const auto train = [&](int count_of_epochs) {
      bench::ChildResult run =
          bench::run_child({bench::graphrun_path(), "train", file, "--set", "train.batch=" + batch, "--set",
                            fmt::format("train.epochs={}", count_of_epochs), "--threads", threads, "--out",
                            folder, "--no-progress", "-q", "--json"});
      std::filesystem::remove_all(folder);
      return run;
    };
    std::vector<double> alone_us = {step_us()};
    const bench::ChildResult one = train(1);
    alone_us.push_back(step_us());
    const bench::ChildResult all = train(epochs + 1);
    alone_us.push_back(step_us());
    const double whole = (all.milliseconds - one.milliseconds) / 1e3 / epochs;
    const double stepping = (number_of(all, "seconds") - number_of(one, "seconds")) / epochs;
    const double steps = number_of(one, "steps");
    const double us = bench::median(alone_us);
    const double alone = us * steps / 1e6;
    fmt::print("{:.0f} steps of {} images, each {:.1f} us alone ({:.1f} to {:.1f}): {:.3f} s\n", steps, batch,
               us, std::ranges::min(alone_us), std::ranges::max(alone_us), alone);
    fmt::print("within the run they take {:.3f} s, {:.2f} of that\n", stepping, stepping / alone);
    fmt::print("an epoch with evaluation, metrics, pictures and checkpoint: {:.3f} s, {:.2f} of its steps\n",
               whole, whole / alone);
  });
}
