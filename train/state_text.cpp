#include "train/state_text.hpp"

#include <fmt/format.h>

#include <charconv>

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

std::vector<double> parse_list(const std::string& key, std::string_view text) {
  std::vector<double> values;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    values.push_back(parse<double>(key, text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return values;
}

const std::string& value_of(const std::map<std::string, std::string>& text, const std::string& key) {
  const auto found = text.find(key);
  if (found == text.end()) throw Error(ErrorCode::data, fmt::format("checkpoint key '{}' is missing", key));
  return found->second;
}

}  // namespace

std::map<std::string, std::string> to_text(const TrainingState& state) {
  return {{"step", fmt::format("{}", state.step)},
          {"epoch", fmt::format("{}", state.epoch)},
          {"batch", fmt::format("{}", state.batch)},
          {"steps_per_epoch", fmt::format("{}", state.steps_per_epoch)},
          {"seed", fmt::format("{}", state.seed)},
          {"epoch_sums", fmt::format("{}", fmt::join(state.epoch_sums, " "))},
          {"epoch_rows", fmt::format("{}", state.epoch_rows)},
          {"epoch_seconds", fmt::format("{}", state.epoch_seconds)},
          {"seconds", fmt::format("{}", state.seconds)},
          {"score", fmt::format("{}", state.score)},
          {"best_score", fmt::format("{}", state.best_score)},
          {"best_step", fmt::format("{}", state.best_step)}};
}

TrainingState state_from_text(const std::map<std::string, std::string>& text) {
  const auto whole = [&](const std::string& key) { return parse<std::uint64_t>(key, value_of(text, key)); };
  const auto real = [&](const std::string& key) { return parse<double>(key, value_of(text, key)); };
  TrainingState state;
  state.step = whole("step");
  state.epoch = whole("epoch");
  state.batch = whole("batch");
  state.steps_per_epoch = whole("steps_per_epoch");
  state.seed = whole("seed");
  state.epoch_sums = parse_list("epoch_sums", value_of(text, "epoch_sums"));
  state.epoch_rows = parse<std::int64_t>("epoch_rows", value_of(text, "epoch_rows"));
  state.epoch_seconds = real("epoch_seconds");
  state.seconds = real("seconds");
  state.score = real("score");
  state.best_score = real("best_score");
  state.best_step = whole("best_step");
  return state;
}

}  // namespace graphrun::train
