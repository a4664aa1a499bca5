#include "language/syntax/diagnostics.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace graphrun {
namespace {

constexpr std::size_t longest_line = 200;

}  // namespace

std::size_t Sources::add(std::string name, std::string text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);  // the byte order mark
  Source source{std::move(name), std::move(text), {0}};
  for (std::size_t i = 0; i < source.text.size(); ++i) {
    if (source.text[i] == '\n') source.line_starts.push_back(i + 1);
  }
  sources_.push_back(std::move(source));
  return sources_.size() - 1;
}

std::string Sources::line(const Place& place) const {
  const Source& source = sources_.at(place.source);
  if (place.line < 1 || static_cast<std::size_t>(place.line) > source.line_starts.size()) return {};
  const std::size_t start = source.line_starts[static_cast<std::size_t>(place.line) - 1];
  std::string text = source.text.substr(start, source.text.find('\n', start) - start);
  if (!text.empty() && text.back() == '\r') text.pop_back();
  if (text.size() > longest_line) text.resize(longest_line);
  return text;
}

SourceLocation Sources::location(const Place& place) const {
  return {sources_.at(place.source).name, place.line, place.column};
}

Place Sources::place_at(std::size_t source, std::size_t offset) const {
  const std::vector<std::size_t>& starts = sources_.at(source).line_starts;
  const auto next = std::upper_bound(starts.begin(), starts.end(), offset);
  const auto line = static_cast<int>(next - starts.begin());
  return {source, line, static_cast<int>(offset - *(next - 1)) + 1};
}

Diagnostic& Diagnostics::error(const Place& place, std::string message, std::string fix) {
  try {
    budget_.spend(Resource::mistakes, 1);
  } catch (const OverBudget& over) {
    if (!stopped_) record(place, over.message(), over.fix());
    stopped_ = true;
    throw Abandoned{};
  }
  return record(place, std::move(message), std::move(fix));
}

Diagnostic& Diagnostics::record(const Place& place, std::string message, std::string fix) {
  Diagnostic diagnostic;
  diagnostic.where = sources_->location(place);
  diagnostic.message = std::move(message);
  diagnostic.line = sources_->line(place);
  diagnostic.fix = std::move(fix);
  found_.push_back(std::move(diagnostic));
  order_.push_back(place.source);
  return found_.back();
}

void Diagnostics::throw_if_any() const {
  if (found_.empty()) return;
  std::vector<std::size_t> order(found_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto key = [this](std::size_t i) {
    return std::tuple(order_[i], found_[i].where.line, found_[i].where.column);
  };
  std::stable_sort(order.begin(), order.end(),
                   [&key](std::size_t a, std::size_t b) { return key(a) < key(b); });
  std::vector<Diagnostic> sorted;
  for (const std::size_t i : order) {
    const Diagnostic& next = found_[i];
    const bool repeated = !sorted.empty() && sorted.back().where.file == next.where.file &&
                          sorted.back().where.line == next.where.line &&
                          sorted.back().where.column == next.where.column &&
                          sorted.back().message == next.message;
    if (!repeated) sorted.push_back(next);
  }
  throw ModelError(std::move(sorted));
}

}  // namespace graphrun
