#include "layers/arrays.hpp"

namespace graphrun::layers {

std::vector<std::int64_t> channels_first_order(const ImageExtents& image) {
  std::vector<std::int64_t> order;
  for (std::int64_t c = 0; c < image.channels; ++c)
    for (std::int64_t pixel = 0; pixel < image.height * image.width; ++pixel)
      order.push_back(pixel * image.channels + c);
  return order;
}

std::vector<std::int64_t> inverse_of(const std::vector<std::int64_t>& order) {
  std::vector<std::int64_t> inverse(order.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    inverse[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  return inverse;
}

std::vector<float> transposed(const std::vector<float>& values, const Extents& extents,
                              const std::vector<std::size_t>& axes) {
  std::vector<std::size_t> strides(extents.size(), 1);
  for (std::size_t axis = extents.size(); axis-- > 1;)
    strides[axis - 1] = strides[axis] * static_cast<std::size_t>(extents[axis]);
  std::vector<float> result;
  result.reserve(values.size());
  std::vector<std::size_t> index(axes.size(), 0);
  for (std::size_t at = 0; result.size() < values.size();) {
    result.push_back(values[at]);
    // Counts up the index of the result, and moves along in the array.
    for (std::size_t i = axes.size(); i-- > 0;) {
      at += strides[axes[i]];
      if (++index[i] < static_cast<std::size_t>(extents[axes[i]])) break;
      at -= strides[axes[i]] * index[i];
      index[i] = 0;
    }
  }
  return result;
}

Extents transposed(const Extents& extents, const std::vector<std::size_t>& axes) {
  Extents result;
  for (const std::size_t axis : axes) result.push_back(extents[axis]);
  return result;
}

std::vector<float> reordered(const std::vector<float>& values, const Extents& extents, std::size_t axis,
                             const std::vector<std::int64_t>& order) {
  std::size_t inner = 1;
  for (std::size_t i = axis + 1; i < extents.size(); ++i) inner *= static_cast<std::size_t>(extents[i]);
  const std::size_t block = inner * order.size();
  std::vector<float> result;
  result.reserve(values.size());
  for (std::size_t begin = 0; begin < values.size(); begin += block) {
    for (const std::int64_t from : order) {
      const auto first =
          values.begin() + static_cast<std::ptrdiff_t>(begin + inner * static_cast<std::size_t>(from));
      result.insert(result.end(), first, first + static_cast<std::ptrdiff_t>(inner));
    }
  }
  return result;
}

}  // namespace graphrun::layers
