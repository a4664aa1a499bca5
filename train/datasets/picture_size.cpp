#include "train/datasets/picture_size.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace graphrun::train {

namespace {

/// What one pixel of a line is made of: so many others from the first on, each by a weight; these sum to 1.
struct Blend {
  std::size_t first = 0;
  std::vector<double> weights;
};

std::vector<Blend> blends_of(std::size_t from, std::size_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double reach = std::max(scale, 1.0);
  std::vector<Blend> blends(to);
  for (std::size_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const double low = std::max(std::floor(centre - reach + 0.5), 0.0);
    const double high = std::min(std::ceil(centre + reach - 0.5), static_cast<double>(from));
    double sum = 0;
    blends[i].first = static_cast<std::size_t>(low);
    for (double at = low; at < high; ++at) {
      const double weight = std::max(0.0, 1 - std::abs(at + 0.5 - centre) / reach);
      blends[i].weights.push_back(weight);
      sum += weight;
    }
    for (double& weight : blends[i].weights) weight /= sum;
  }
  return blends;
}

std::size_t scaled_side(std::size_t side, std::size_t shorter, std::size_t wanted) {
  const double exact = static_cast<double>(side) * static_cast<double>(wanted) / static_cast<double>(shorter);
  return std::max<std::size_t>(static_cast<std::size_t>(std::lround(exact)), 1);
}

}  // namespace

files::Image resized(const files::Image& image, std::size_t height, std::size_t width) {
  if (image.height == height && image.width == width) return image;
  const std::size_t channels = image.channels;
  const std::vector<Blend> across = blends_of(image.width, width);
  std::vector<double> narrow(image.height * width * channels);
  for (std::size_t y = 0; y < image.height; ++y)
    for (std::size_t x = 0; x < width; ++x)
      for (std::size_t i = 0; i < across[x].weights.size(); ++i)
        for (std::size_t c = 0; c < channels; ++c)
          narrow[(y * width + x) * channels + c] +=
              across[x].weights[i] *
              static_cast<double>(image.pixels[(y * image.width + across[x].first + i) * channels + c]);
  const std::vector<Blend> down = blends_of(image.height, height);
  files::Image result{height, width, channels, std::vector<std::uint8_t>(height * width * channels)};
  std::vector<double> line(width * channels);
  for (std::size_t y = 0; y < height; ++y) {
    std::ranges::fill(line, 0.0);
    for (std::size_t i = 0; i < down[y].weights.size(); ++i)
      for (std::size_t x = 0; x < line.size(); ++x)
        line[x] += down[y].weights[i] * narrow[(down[y].first + i) * line.size() + x];
    for (std::size_t x = 0; x < line.size(); ++x)
      result.pixels[y * line.size() + x] =
          static_cast<std::uint8_t>(std::lround(std::clamp(line[x], 0.0, 255.0)));
  }
  return result;
}

files::Image resized(const files::Image& image, std::span<const std::size_t> size) {
  if (size.size() == 2) return resized(image, size[0], size[1]);
  const std::size_t shorter = std::min(image.height, image.width);
  return resized(image, scaled_side(image.height, shorter, size[0]),
                 scaled_side(image.width, shorter, size[0]));
}

files::Image cropped(const files::Image& image, std::size_t height, std::size_t width) {
  files::Image result{height, width, image.channels, {}};
  const std::size_t top = (image.height - height) / 2;
  const std::size_t left = (image.width - width) / 2;
  for (std::size_t y = 0; y < height; ++y) {
    const auto begin =
        image.pixels.begin() + static_cast<std::ptrdiff_t>(((top + y) * image.width + left) * image.channels);
    result.pixels.insert(result.pixels.end(), begin,
                         begin + static_cast<std::ptrdiff_t>(width * image.channels));
  }
  return result;
}

}  // namespace graphrun::train
