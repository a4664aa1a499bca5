#include "train/datasets/tables/shuffle.hpp"

#include <fmt/format.h>

#include <limits>
#include <numeric>
#include <utility>

#include "graphrun/error.hpp"
#include "runtime/state/philox.hpp"

namespace graphrun::train {

std::vector<std::uint32_t> epoch_order(std::uint64_t seed, std::uint64_t epoch, std::int64_t count) {
  if (count < 0 || count > std::numeric_limits<std::uint32_t>::max())
    throw Error(ErrorCode::usage, fmt::format("{} examples are more than an epoch can hold", count));
  std::vector<std::uint32_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0U);
  const auto domain = static_cast<std::uint32_t>(runtime::RandomDomain::shuffle);
  const auto stream =
      runtime::RandomStream::of("examples", {.seed = seed, .domain = domain, .step = epoch, .first_row = 0});
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[runtime::random_below(stream, i - 1, i)]);
  return order;
}

}  // namespace graphrun::train
