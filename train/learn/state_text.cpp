#include "train/learn/state_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "graphrun/error.hpp"

namespace graphrun::train {

namespace {

template <class Number>
Number parse(const std::string& key, std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw Error(ErrorCode::data,
                fmt::format("checkpoint key '{}' holds '{}', which is not a number", key, text));
  return value;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

template <class Number>
std::vector<Number> parse_list(const std::string& key, std::string_view text) {
  std::vector<Number> values;
  for (const std::string& word : words_of(text)) values.push_back(parse<Number>(key, word));
  return values;
}

const std::string& value_of(const std::map<std::string, std::string>& text, const std::string& key) {
  const auto found = text.find(key);
  if (found == text.end()) throw Error(ErrorCode::data, fmt::format("checkpoint key '{}' is missing", key));
  return found->second;
}

constexpr std::string_view result_key = "result ";

/// "result tuned 3" -> "loss 0.5 accuracy 0.71".
void write_results(const std::vector<PhaseResult>& results, std::map<std::string, std::string>& text) {
  for (const PhaseResult& result : results) {
    std::string figures;
    for (const Figure& figure : result.figures)
      figures += fmt::format("{}{} {}", figures.empty() ? "" : " ", figure.name, figure.value);
    text[fmt::format("{}{} {}", result_key, result.phase, result.draw)] = figures;
  }
}

std::vector<PhaseResult> read_results(const std::map<std::string, std::string>& text) {
  std::vector<PhaseResult> results;
  for (auto at = text.lower_bound(std::string(result_key)); at != text.end(); ++at) {
    if (!at->first.starts_with(result_key)) break;
    const std::vector<std::string> key = words_of(at->first);
    const std::vector<std::string> words = words_of(at->second);
    if (key.size() != 3 || words.size() % 2 != 0)
      throw Error(ErrorCode::data, fmt::format("checkpoint key '{}' holds '{}'", at->first, at->second));
    PhaseResult result{.phase = key[1], .draw = parse<std::uint64_t>(at->first, key[2]), .figures = {}};
    for (std::size_t i = 0; i < words.size(); i += 2)
      result.figures.push_back({words[i], parse<double>(at->first, words[i + 1])});
    results.push_back(std::move(result));
  }
  std::stable_sort(results.begin(), results.end(),
                   [](const PhaseResult& a, const PhaseResult& b) { return a.draw < b.draw; });
  return results;
}

}  // namespace

std::map<std::string, std::string> to_text(const TrainingState& state) {
  std::map<std::string, std::string> text = {
      {"step", fmt::format("{}", state.step)},
      {"updates", fmt::format("{}", state.updates)},
      {"epoch", fmt::format("{}", state.epoch)},
      {"batch", fmt::format("{}", state.batch)},
      {"steps_per_epoch", fmt::format("{}", state.steps_per_epoch)},
      {"seed", fmt::format("{}", state.seed)},
      {"phase", state.phase},
      {"draw", fmt::format("{}", state.draw)},
      {"layer", fmt::format("{}", state.layer)},
      {"first_step", fmt::format("{}", state.first_step)},
      {"first_epoch", fmt::format("{}", state.first_epoch)},
      {"ended", state.ended ? "1" : "0"},
      {"disappointments", fmt::format("{}", state.disappointments)},
      {"stop_best", fmt::format("{}", state.stop_best)},
      {"stop_epoch", fmt::format("{}", state.stop_epoch)},
      {"epoch_sums", fmt::format("{}", fmt::join(state.epoch_sums, " "))},
      {"figure_rows", fmt::format("{}", fmt::join(state.figure_rows, " "))},
      {"epoch_rows", fmt::format("{}", state.epoch_rows)},
      {"epoch_seconds", fmt::format("{}", state.epoch_seconds)},
      {"seconds", fmt::format("{}", state.seconds)},
      {"score", fmt::format("{}", state.score)},
      {"best_score", fmt::format("{}", state.best_score)},
      {"best_step", fmt::format("{}", state.best_step)}};
  write_results(state.results, text);
  return text;
}

TrainingState state_from_text(const std::map<std::string, std::string>& text) {
  const auto whole = [&](const std::string& key) { return parse<std::uint64_t>(key, value_of(text, key)); };
  const auto real = [&](const std::string& key) { return parse<double>(key, value_of(text, key)); };
  const auto later = [&](const std::string& key, std::uint64_t otherwise) {
    return text.contains(key) ? whole(key) : otherwise;  // a checkpoint from before the key lacks it
  };
  TrainingState state;
  state.step = whole("step");
  state.updates = later("updates", state.step);
  state.epoch = whole("epoch");
  state.batch = whole("batch");
  state.steps_per_epoch = whole("steps_per_epoch");
  state.seed = whole("seed");
  if (text.contains("phase")) state.phase = value_of(text, "phase");
  state.draw = later("draw", 0);
  state.layer = later("layer", 0);
  state.first_step = later("first_step", 0);
  state.first_epoch = later("first_epoch", 0);
  state.ended = later("ended", 0) != 0;
  state.disappointments = later("disappointments", 0);
  if (text.contains("stop_best")) state.stop_best = real("stop_best");
  state.stop_epoch = later("stop_epoch", 0);
  state.epoch_sums = parse_list<double>("epoch_sums", value_of(text, "epoch_sums"));
  if (text.contains("figure_rows"))
    state.figure_rows = parse_list<std::int64_t>("figure_rows", value_of(text, "figure_rows"));
  state.epoch_rows = parse<std::int64_t>("epoch_rows", value_of(text, "epoch_rows"));
  state.epoch_seconds = real("epoch_seconds");
  state.seconds = real("seconds");
  state.score = real("score");
  state.best_score = real("best_score");
  state.best_step = whole("best_step");
  state.results = read_results(text);
  return state;
}

}  // namespace graphrun::train
