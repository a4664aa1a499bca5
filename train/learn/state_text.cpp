#include "train/learn/state_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "files/number_text.hpp"
#include "graphrun/error.hpp"

namespace graphrun::train {

namespace {

template <class Number>
Number parse(const std::string& key, std::string_view text) {
  if (const std::optional<Number> number = files::number_in<Number>(text)) return *number;
  throw Error(ErrorCode::data,
              fmt::format("checkpoint key '{}' holds '{}', which is not a number", key, text));
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

// ---- Fields, by their type ----

template <class Number>
void read(const std::string& key, const std::string& text, Number& field) {
  field = parse<Number>(key, text);
}
void read(const std::string& /*key*/, const std::string& text, std::string& field) {
  field = text;
}
void read(const std::string& key, const std::string& text, bool& field) {
  field = parse<int>(key, text) != 0;
}
template <class Number>
void read(const std::string& key, const std::string& text, std::vector<Number>& field) {
  for (const std::string& word : words_of(text)) field.push_back(parse<Number>(key, word));
}

template <class Value>
std::string written(const Value& field) {
  return fmt::format("{}", field);
}
std::string written(bool field) {
  return field ? "1" : "0";
}
template <class Number>
std::string written(const std::vector<Number>& field) {
  return fmt::format("{}", fmt::join(field, " "));
}

/// Checkpoints from before a key lack it: then its field stays as it was.
enum class Key { always, later };

/// All fields but the results, as visit(key, field, whether it must be there).
template <class State, class Visit>
void for_each_field(State& state, const Visit& visit) {
  visit("step", state.step, Key::always);
  visit("updates", state.updates, Key::later);
  visit("epoch", state.epoch, Key::always);
  visit("batch", state.batch, Key::always);
  visit("steps_per_epoch", state.steps_per_epoch, Key::always);
  visit("seed", state.seed, Key::always);
  visit("begun", state.begun, Key::later);
  visit("phase", state.phase, Key::later);
  visit("draw", state.draw, Key::later);
  visit("layer", state.layer, Key::later);
  visit("first_step", state.first_step, Key::later);
  visit("first_epoch", state.first_epoch, Key::later);
  visit("ended", state.ended, Key::later);
  visit("disappointments", state.disappointments, Key::later);
  visit("stop_best", state.stop_best, Key::later);
  visit("stop_epoch", state.stop_epoch, Key::later);
  visit("epoch_sums", state.epoch_sums, Key::always);
  visit("figure_rows", state.figure_rows, Key::later);
  visit("epoch_rows", state.epoch_rows, Key::always);
  visit("epoch_seconds", state.epoch_seconds, Key::always);
  visit("seconds", state.seconds, Key::always);
  visit("score", state.score, Key::always);
  visit("best_score", state.best_score, Key::always);
  visit("best_step", state.best_step, Key::always);
  visit("held_out_scores", state.held_out_scores, Key::later);
}

// ---- Results ----

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
  std::map<std::string, std::string> text;
  for_each_field(state, [&](const char* key, const auto& field, Key) { text[key] = written(field); });
  write_results(state.results, text);
  return text;
}

TrainingState state_from_text(const std::map<std::string, std::string>& text) {
  TrainingState state;
  for_each_field(state, [&](const std::string& key, auto& field, Key kind) {
    const auto found = text.find(key);
    if (found != text.end()) return read(key, found->second, field);
    if (kind == Key::always) throw Error(ErrorCode::data, fmt::format("checkpoint key '{}' is missing", key));
  });
  if (!text.contains("updates")) state.updates = state.step;
  state.results = read_results(text);
  return state;
}

}  // namespace graphrun::train
