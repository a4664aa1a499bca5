/// \file
/// What the programs of this folder share: a clock, medians, and words of the command line.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace graphrun::bench {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Microseconds of each call of `work`, for so many seconds and three times at least.
template <class Work>
std::vector<double> times_us(double seconds, const Work& work) {
  std::vector<double> times;
  const Clock::time_point begin = Clock::now();
  while (times.size() < 3 || seconds_since(begin) < seconds) {
    const Clock::time_point start = Clock::now();
    work();
    times.push_back(seconds_since(start) * 1e6);
  }
  return times;
}

/// The words of a command line: `--NAME VALUE` or words by their place.
class Words {
 public:
  Words(int count, char** words) : words_(words + 1, words + count) {}

  /// The value behind --NAME, which is taken out.
  std::string option(std::string_view name, const std::string& otherwise) {
    const auto at = std::find(words_.begin(), words_.end(), "--" + std::string(name));
    if (at == words_.end() || at + 1 == words_.end()) return otherwise;
    const std::string value = *(at + 1);
    words_.erase(at, at + 2);
    return value;
  }
  int number(std::string_view name, int otherwise) {
    return std::stoi(option(name, std::to_string(otherwise)));
  }
  std::string word(std::size_t index, const std::string& otherwise) const {
    return index < words_.size() ? words_[index] : otherwise;
  }

 private:
  std::vector<std::string> words_;
};

/// Runs a program's body and prints what it throws.
template <class Body>
int run_program(const Body& body) {
  try {
    body();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

}  // namespace graphrun::bench
