#include "train/datasets/tables/shuffle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "graphrun/error.hpp"
#include "runtime/state/philox.hpp"

namespace graphrun::train {

namespace {

using Order = std::vector<std::uint32_t>;

constexpr std::int64_t stretch_bytes = std::int64_t{1} << 20;

/// Puts part of an order into a random one; the draws of a place are its own, whatever the parts are.
void shuffle(Order& order, std::size_t first, std::size_t count, const runtime::RandomStream& stream) {
  for (std::size_t i = first + count; i > first + 1; --i)
    std::swap(order[i - 1], order[first + runtime::random_below(stream, i - 1, i - first)]);
}

Order in_order(std::size_t count) {
  Order order(count);
  std::iota(order.begin(), order.end(), 0U);
  return order;
}

/// Stretches of examples in random order, each of them as it is.
Order by_stretches(std::size_t count, std::size_t stretch, const runtime::RandomStream& stream) {
  const std::size_t stretches = (count + stretch - 1) / stretch;
  Order numbers = in_order(stretches);
  shuffle(numbers, 0, stretches, stream);
  Order order;
  order.reserve(count);
  for (const std::uint32_t number : numbers)
    for (std::size_t i = number * stretch; i < std::min((number + 1) * stretch, count); ++i)
      order.push_back(static_cast<std::uint32_t>(i));
  return order;
}

}  // namespace

Order epoch_order(std::uint64_t seed, std::uint64_t epoch, std::int64_t count, std::int64_t example_bytes) {
  if (count < 0 || count > std::numeric_limits<std::uint32_t>::max())
    throw Error(ErrorCode::usage, fmt::format("{} examples are more than an epoch can hold", count));
  const auto domain = static_cast<std::uint32_t>(runtime::RandomDomain::shuffle);
  const auto stream_of = [&](const char* name) {
    return runtime::RandomStream::of(name, {.seed = seed, .domain = domain, .step = epoch, .first_row = 0});
  };
  const runtime::RandomStream examples = stream_of("examples");
  const auto rows = static_cast<std::size_t>(count);
  if (example_bytes <= 0 || count <= most_bytes_shuffled / example_bytes) {
    Order order = in_order(rows);
    shuffle(order, 0, rows, examples);
    return order;
  }
  const auto stretch = static_cast<std::size_t>(std::max<std::int64_t>(stretch_bytes / example_bytes, 1));
  const auto together =
      static_cast<std::size_t>(std::max<std::int64_t>(most_bytes_shuffled / example_bytes, 1));
  Order order = by_stretches(rows, stretch, stream_of("stretches"));
  for (std::size_t first = 0; first < rows; first += together)
    shuffle(order, first, std::min(together, rows - first), examples);
  return order;
}

}  // namespace graphrun::train
