/// \file
/// What a run tells TensorBoard: its figures and pictures as events, below `tensorboard/` of its directory.
/// Figures of training and of test data lie in two folders under equal names, so that TensorBoard draws both
/// into one chart.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "train/learn/figures.hpp"
#include "train/run/event_file.hpp"

namespace graphrun::train {

class EventLog {
 public:
  /// Starts a file in `train/` and one in `test/` of `folder`, which continue what is there: see EventFile.
  EventLog(const std::filesystem::path& folder, std::uint64_t last_step);

  void train(std::uint64_t step, const Figures& figures) { train_.scalars(step, figures.values); }
  void test(std::uint64_t step, const Figures& figures) { test_.scalars(step, figures.values); }
  /// A PNG file that the run has written. Error{io}.
  void picture(std::uint64_t step, std::string_view tag, const std::filesystem::path& png);

 private:
  EventFile train_;
  EventFile test_;
};

}  // namespace graphrun::train
