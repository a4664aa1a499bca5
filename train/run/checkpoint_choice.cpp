#include "train/run/checkpoint_choice.hpp"

#include <fmt/format.h>

#include <cmath>
#include <system_error>
#include <utility>

#include "files/file.hpp"
#include "train/run/run_directory.hpp"

namespace graphrun::train {

namespace fs = std::filesystem;

namespace {

/// Scores of different phases say nothing about each other.
bool same_stage(const TrainingState& a, const TrainingState& b) {
  return a.phase == b.phase && a.draw == b.draw && a.layer == b.layer;
}

/// No score lies beyond the best one, be it the lowest or the highest: the nearest to it is the best that is
/// there. The earlier of equals is the better one; what was never measured is better than nothing.
bool is_better(const TrainingState& earlier, const TrainingState& than, double best_score) {
  if (std::isnan(earlier.score)) return false;
  return std::isnan(than.score) || std::abs(earlier.score - best_score) <= std::abs(than.score - best_score);
}

/// Of one file that cannot be used; not of this process, which may lack memory.
bool is_about_the_file(const Error& error) {
  return error.code() == ErrorCode::data || error.code() == ErrorCode::io;
}

}  // namespace

FoundCheckpoint newest_checkpoint(const fs::path& run) {
  std::vector<std::string> notes;
  for (const fs::path& file : checkpoint_files(RunDirectory::open(run).folder())) {
    try {
      Checkpoint checkpoint(file);
      return {std::move(checkpoint), std::move(notes)};
    } catch (const Error& error) {
      if (!is_about_the_file(error)) throw;
      notes.push_back(fmt::format("{} is passed over: {}", file.string(), error.message()));
    }
  }
  std::string message = "it holds no checkpoint that can be used";
  for (const std::string& note : notes) message += "; " + note;
  throw files::data_error(run, message);
}

FoundCheckpoint best_checkpoint(const fs::path& run) {
  FoundCheckpoint best = newest_checkpoint(run);
  const double best_score = best.checkpoint.state().best_score;
  for (const fs::path& file : checkpoint_files(run)) {
    try {
      Checkpoint candidate(file);
      if (!same_stage(best.checkpoint.state(), candidate.state())) continue;
      if (is_better(candidate.state(), best.checkpoint.state(), best_score))
        best.checkpoint = std::move(candidate);
    } catch (const Error& error) {
      if (!is_about_the_file(error)) throw;
    }
  }
  return best;
}

FoundCheckpoint find_checkpoint(const fs::path& file_or_run, bool best) {
  if (fs::is_directory(file_or_run))
    return best ? best_checkpoint(file_or_run) : newest_checkpoint(file_or_run);
  return {Checkpoint(file_or_run), {}};
}

void prune_checkpoints(const fs::path& run, std::size_t keep, std::uint64_t best_step) {
  const std::vector<fs::path> files = checkpoint_files(run);
  bool removed = false;
  for (std::size_t i = keep; i < files.size(); ++i) {
    if (step_of(files[i]) == best_step) continue;
    std::error_code error;
    removed = fs::remove(files[i], error) || removed;
  }
  if (removed) files::sync_folder(run / "checkpoints");
}

}  // namespace graphrun::train
