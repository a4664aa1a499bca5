#include "train/learn/stages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <utility>

#include "graphrun/error.hpp"
#include "runtime/state/philox.hpp"

namespace graphrun::train {

namespace {

/// The first `count` of a random order of `pool`.
std::vector<std::uint32_t> chosen_from(std::vector<std::uint32_t> pool, std::int64_t count,
                                       const runtime::RandomStream& stream) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
    std::swap(pool[i], pool[i + runtime::random_below(stream, i, pool.size() - i)]);
  pool.resize(static_cast<std::size_t>(count));
  return pool;
}

runtime::RandomStream stream_of(const std::string& path, std::uint64_t seed) {
  return runtime::RandomStream::of(path, {.seed = seed,
                                          .domain = static_cast<std::uint32_t>(runtime::RandomDomain::data),
                                          .step = 0,
                                          .first_row = 0});
}

std::int32_t label_of(const Column& column, std::size_t row) {
  if (column.kind == ColumnKind::u8_labels) return std::to_integer<std::int32_t>(column.bytes[row]);
  std::int32_t label = 0;
  std::memcpy(&label, column.bytes.data() + row * sizeof label, sizeof label);
  return label;
}

/// As many of each label.
std::vector<std::uint32_t> balanced_sample(const Examples& examples, std::int64_t count, std::uint64_t seed,
                                           const std::string& labels, const SubsetRecipe& subset) {
  const auto column = examples.columns.find(labels);
  if (column == examples.columns.end())
    throw Error(ErrorCode::data, "a balanced subset needs labels, and the training data have none",
                subset.where);
  std::map<std::int32_t, std::vector<std::uint32_t>> by_label;
  for (std::uint32_t row = 0; row < examples.count; ++row)
    by_label[label_of(column->second, row)].push_back(row);
  const auto classes = static_cast<std::int64_t>(by_label.size());
  if (count % classes != 0)
    throw Error(ErrorCode::usage,
                fmt::format("{} examples cannot be shared equally among {} labels; {} can", count, classes,
                            (count / classes + 1) * classes),
                subset.where);
  std::vector<std::uint32_t> rows;
  for (const auto& [label, pool] : by_label) {
    if (static_cast<std::int64_t>(pool.size()) < count / classes)
      throw Error(ErrorCode::usage,
                  fmt::format("{} examples of each label are asked for, but only {} have the label {}",
                              count / classes, pool.size(), label),
                  subset.where);
    const std::vector<std::uint32_t> part =
        chosen_from(pool, count / classes, stream_of(fmt::format("subset {}", label), seed));
    rows.insert(rows.end(), part.begin(), part.end());
  }
  return rows;
}

std::size_t stored_bytes_per_row(const Column& column) {
  const bool bytes = column.kind == ColumnKind::u8_pixels || column.kind == ColumnKind::u8_labels;
  return static_cast<std::size_t>(column.row_elements) * (bytes ? 1 : 4);
}

/// Copies of these rows.
Examples rows_of(const Examples& examples, const std::vector<std::uint32_t>& rows) {
  auto copies = std::make_shared<std::map<std::string, std::vector<std::byte>>>();
  Examples result{.count = static_cast<std::int64_t>(rows.size()), .columns = {}, .owner = copies};
  for (const auto& [name, column] : examples.columns) {
    const std::size_t width = stored_bytes_per_row(column);
    std::vector<std::byte>& bytes = (*copies)[name];
    bytes.reserve(rows.size() * width);
    for (const std::uint32_t row : rows) {
      const std::span<const std::byte> from = column.bytes.subspan(row * width, width);
      bytes.insert(bytes.end(), from.begin(), from.end());
    }
    result.columns[name] = {column.kind, column.row_elements, bytes};
  }
  return result;
}

}  // namespace

std::vector<Stage> stages_of(const TrainRecipe& train) {
  std::vector<Stage> stages;
  for (std::size_t i = 0; i < train.phases.size(); ++i) {
    const PhaseRecipe& phase = train.phases[i];
    const std::uint64_t layers = phase.greedy ? phase.greedy->encoder.size() : 0;
    for (std::uint64_t draw = 0; draw < static_cast<std::uint64_t>(phase.draws); ++draw)
      for (std::uint64_t layer = 0; layer < std::max<std::uint64_t>(layers, 1); ++layer)
        stages.push_back({i, draw, layer, layers});
  }
  return stages;
}

std::string name_of(const TrainRecipe& train, const Stage& stage) {
  const PhaseRecipe& phase = train.phases[stage.phase];
  std::string name = phase.name;
  if (phase.draws > 1) name += fmt::format(", draw {} of {}", stage.draw + 1, phase.draws);
  if (stage.layers > 0) name += fmt::format(", layer {} of {}", stage.layer + 1, stage.layers);
  return name.starts_with(", ") ? name.substr(2) : name;
}

std::size_t stage_at(const TrainRecipe& train, const std::vector<Stage>& stages, const TrainingState& state) {
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const Stage& stage = stages[i];
    if (train.phases[stage.phase].name == state.phase && stage.draw == state.draw &&
        stage.layer == state.layer)
      return i;
  }
  throw Error(ErrorCode::usage,
              fmt::format("the run stands in phase '{}', draw {}, layer {}, which the model does not have; "
                          "continue it with the phases that it began with",
                          state.phase, state.draw + 1, state.layer + 1));
}

std::uint64_t seed_of_draw(std::uint64_t seed, std::uint64_t draw) {
  constexpr std::uint64_t golden_ratio = 0x9E3779B97F4A7C15U;  // spreads neighbouring draws over all seeds
  return seed + draw * golden_ratio;
}

Examples subset_of(const Examples& examples, const SubsetRecipe& subset, std::uint64_t seed,
                   const std::string& labels) {
  if (subset.first && *subset.first > examples.count)
    throw Error(ErrorCode::usage,
                fmt::format("the first {} examples are asked for, but there are only {}", *subset.first,
                            examples.count),
                subset.where);
  Examples first = first_of(examples, subset.first.value_or(examples.count));
  if (!subset.sample) return first;
  if (*subset.sample > first.count)
    throw Error(ErrorCode::usage,
                fmt::format("{} examples are asked for, but there are only {} to choose from", *subset.sample,
                            first.count),
                subset.where);
  if (subset.balanced) return rows_of(first, balanced_sample(first, *subset.sample, seed, labels, subset));
  std::vector<std::uint32_t> all(static_cast<std::size_t>(first.count));
  std::iota(all.begin(), all.end(), 0U);
  return rows_of(first, chosen_from(std::move(all), *subset.sample, stream_of("subset", seed)));
}

}  // namespace graphrun::train
