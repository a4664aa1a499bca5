/// \file
/// The checkpoints of a run: which one stands for it, and which are kept.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "train/learn/checkpoint.hpp"

namespace graphrun::train {

/// The newest checkpoint of a run that is whole. Newer ones that are damaged, or links to nowhere, are passed
/// over, with a note each.
/// Error{data} when there is none.
struct FoundCheckpoint {
  Checkpoint checkpoint;
  std::vector<std::string> notes;
};
FoundCheckpoint newest_checkpoint(const std::filesystem::path& run);

/// The whole one with the best score of those from the phase of the newest; the earliest of equals. By the
/// best score that the newest knows, which no other exceeds, it is told whether low or high is good.
FoundCheckpoint best_checkpoint(const std::filesystem::path& run);

/// A file, or the run directory that stands for its newest or best.
FoundCheckpoint find_checkpoint(const std::filesystem::path& file_or_run, bool best);

/// Removes all but the `keep` newest and the best. Called after the newest is durable.
void prune_checkpoints(const std::filesystem::path& run, std::size_t keep, std::uint64_t best_step);

}  // namespace graphrun::train
