#include "show/draw/filters.hpp"

#include <algorithm>
#include <cmath>

#include "show/draw/ranking.hpp"

namespace graphrun::show {

namespace {

/// How a weight's filters are laid out; nothing when it does not see the pixels.
std::optional<Pictures> sizes_of(const Extents& extents, const train::ImageSet& images) {
  const auto size = [&](std::size_t axis) { return static_cast<std::size_t>(extents[axis]); };
  if (extents.size() == 2 && size(0) == images.values_per_image())
    return Pictures{size(1), images.height, images.width, images.channels, {}};
  // A kernel of one pixel has nothing to show.
  if (extents.size() == 4 && size(2) == images.channels && size(0) * size(1) > 1)
    return Pictures{size(3), size(0), size(1), images.channels, {}};
  return std::nullopt;
}

}  // namespace

Pictures filters_of(std::span<const float> weights, const Pictures& sizes) {
  const std::size_t pixels = sizes.height * sizes.width * sizes.channels;
  std::vector<double> norms(sizes.count);
  std::vector<float> largest(sizes.count);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t unit = i % sizes.count;
    norms[unit] += static_cast<double>(weights[i]) * static_cast<double>(weights[i]);
    largest[unit] = std::max(largest[unit], std::abs(weights[i]));
  }
  std::vector<std::size_t> order = highest_first(norms);
  order.resize(std::min(order.size(), most_filters));
  Pictures filters{order.size(), sizes.height, sizes.width, sizes.channels, {}};
  for (const std::size_t unit : order) {
    for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
      const float share = largest[unit] > 0 ? weights[pixel * sizes.count + unit] / largest[unit] : 0.0F;
      filters.pixels.push_back(static_cast<std::uint8_t>(std::lround(127.5F + 127.5F * share)));
    }
  }
  return filters;
}

std::optional<Filters> first_filters(const runtime::VariableStore& variables, const train::ImageSet& images) {
  for (const auto* variable : variables.all()) {
    if (!variable->trainable) continue;
    if (const std::optional<Pictures> sizes = sizes_of(variable->extents, images))
      return Filters{variable->name, filters_of(variable->values, *sizes)};
  }
  return std::nullopt;
}

}  // namespace graphrun::show
