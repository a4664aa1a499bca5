// A whole epoch against its steps: epoch [MODEL] [--batch N] [--epochs N] [--threads N]
//
// Runs `graphrun train` on the model's own data, evaluation, metrics, pictures and checkpoint after each
// epoch included, and divides the time of an epoch by its steps as `graphrun bench` measures them, before and
// after. Each is a process of its own.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <stdexcept>

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
    const int epochs = words.number("epochs", 4);
    const std::string threads = words.option("threads", "0");
    const std::string file = words.word(0, "models/autoencoder.yaml");
    const std::string folder = (std::filesystem::temp_directory_path() / "graphrun-epoch").string();
    std::filesystem::remove_all(folder);
    const auto step_us = [&] {
      return number_of(bench::run_child({bench::graphrun_path(), "bench", file, "--batch", batch, "--threads",
                                         threads, "--seconds", "1", "--json"}),
                       "median");
    };
    const double before = step_us();
    const bench::ChildResult run =
        bench::run_child({bench::graphrun_path(), "train", file, "--set", "train.batch=" + batch, "--set",
                          fmt::format("train.epochs={}", epochs), "--threads", threads, "--out", folder,
                          "--no-progress", "-q", "--json"});
    const double after = step_us();
    std::filesystem::remove_all(folder);
    const double seconds = number_of(run, "seconds") / epochs;
    const double steps = number_of(run, "steps") / epochs;
    const double alone = std::sqrt(before * after) * steps / 1e6;
    fmt::print("{:.0f} steps of {} images: {:.3f} s as measured alone ({:.1f} and {:.1f} us a step)\n", steps,
               batch, alone, before, after);
    fmt::print("an epoch with evaluation and checkpoint: {:.3f} s, {:.2f} of its steps\n", seconds,
               seconds / alone);
  });
}
