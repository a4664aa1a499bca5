#include <cstring>

#include "ops/rows.hpp"
#include "ops/statistics/channel_sums.hpp"
#include "ops/statistics/moments.hpp"

namespace graphrun::ops {
namespace {

/// Pixels of sixteen channels that stay in the first-level cache from the first pass to the second.
constexpr std::size_t pixels_at_once = 64;

template <std::size_t lanes>
struct Moments {
  Channels<lanes> mean{};
  Channels<lanes> squares{};  ///< the sum of squared distances from the mean
};

/// Of `pixels` pixels that are `stride` apart.
template <std::size_t lanes>
[[gnu::always_inline]] inline Moments<lanes> moments_of(const float* x, std::size_t pixels,
                                                        std::size_t stride, std::size_t channels) {
  Moments<lanes> all;
  if (pixels == 0) all.mean = all.mean / 0.0F;  // the mean of nothing is no number
  for (std::size_t first = 0; first < pixels; first += pixels_at_once) {
    const std::size_t count = std::min(pixels_at_once, pixels - first);
    const float* const begin = x + first * stride;
    const auto pixel = [=](std::size_t i) __attribute__((always_inline)) {
      return load_channels<lanes>(begin + i * stride, channels);
    };
    const Channels<lanes> mean = sum_of_pixels(count, pixel) / static_cast<float>(count);
    const Channels<lanes> squares = sum_of_pixels(
        count, [=](std::size_t i) __attribute__((always_inline)) {
          const Channels<lanes> distance = pixel(i) - mean;
          return distance * distance;
        });
    const Channels<lanes> apart = mean - all.mean;
    const auto before = static_cast<float>(first);
    const auto share = static_cast<float>(count) / static_cast<float>(first + count);
    all.mean += apart * share;
    all.squares += squares + apart * apart * (before * share);
  }
  return all;
}

struct RowArguments {
  const float* x;
  float* y;
  std::size_t rows;
  const ChannelLayout* layout;
};

struct RowBody {
  template <std::size_t lanes>
  [[gnu::always_inline]] static void run(const RowArguments& a) noexcept {
    const ChannelLayout& layout = *a.layout;
    const auto pixels = static_cast<float>(layout.pixels);
    for (std::size_t row = 0; row < a.rows; ++row) {
      const float* const x = a.x + row * layout.row();
      float* const y = a.y + row * 2 * layout.channels;
      for (std::size_t next = 0; next < layout.channels; next += channel_lanes) {
        const std::size_t first = vector_with(next, layout.channels);
        const std::size_t count = std::min(channel_lanes, layout.channels - first);
        const Moments<lanes> moments =
            count == channel_lanes
                ? moments_of<lanes>(x + first, layout.pixels, layout.channels, channel_lanes)
                : moments_of<lanes>(x + first, layout.pixels, layout.channels, count);
        store_channels(moments.mean, y + first, count);
        store_channels(moments.squares / pixels, y + layout.channels + first, count);
      }
    }
  }
};

struct PoolArguments {
  const float* x;  // [rows, 2, channels]
  float* y;        // [2, channels]
  std::size_t rows;
  std::size_t channels;
};

struct PoolBody {
  template <std::size_t lanes>
  [[gnu::always_inline]] static void run(const PoolArguments& a) noexcept {
    const auto rows = static_cast<float>(a.rows);
    const std::size_t stride = 2 * a.channels;
    for (std::size_t next = 0; next < a.channels; next += channel_lanes) {
      const std::size_t first = vector_with(next, a.channels);
      const std::size_t count = std::min(channel_lanes, a.channels - first);
      const float* const means = a.x + first;
      const float* const variances = means + a.channels;
      const auto mean_of = [=](std::size_t i) __attribute__((always_inline)) {
        return load_channels<lanes>(means + i * stride, count);
      };
      const Channels<lanes> mean = sum_of_pixels(a.rows, mean_of) / rows;
      const auto square_of = [=](std::size_t i) __attribute__((always_inline)) {
        const Channels<lanes> apart = mean_of(i) - mean;
        return load_channels<lanes>(variances + i * stride, count) + apart * apart;
      };
      const Channels<lanes> variance = sum_of_pixels(a.rows, square_of) / rows;
      store_channels(mean, a.y + first, count);
      store_channels(variance, a.y + a.channels + first, count);
    }
  }
};

using RowFunction = IsaLoops<RowBody, RowArguments>::Function;
using PoolFunction = IsaLoops<PoolBody, PoolArguments>::Function;

RowFunction row_function(runtime::Isa isa) {
  return IsaLoops<RowBody, RowArguments>::select(isa);
}
PoolFunction pool_function(runtime::Isa isa) {
  return IsaLoops<PoolBody, PoolArguments>::select(isa);
}

class MomentsCall final : public runtime::Call {
 public:
  MomentsCall(const Extents& x, runtime::Isa isa)
      : layout_(as_images(x)), row_(row_function(isa)), pool_(pool_function(isa)) {}

  std::size_t scratch_bytes() const override { return layout_.rows * 2 * layout_.channels * sizeof(float); }
  void run(const runtime::CallArguments& a) const noexcept override {
    auto* const rows = reinterpret_cast<float*>(a.scratch);
    row_({input_as<float>(a, 0), rows, layout_.rows, &layout_});
    pool_({rows, output_as<float>(a), layout_.rows, layout_.channels});
  }

 private:
  ChannelLayout layout_;
  RowFunction row_;
  PoolFunction pool_;
};

}  // namespace

Extents as_images(const Extents& x) {
  return x.size() > 2 ? x : Extents{1, x[0], x[1]};
}

std::vector<double> moments_of_rows(const HostTensor& x) {
  const ChannelLayout layout(as_images(x.extents));
  const auto pixels = static_cast<double>(layout.pixels);
  std::vector<double> moments(layout.rows * 2 * layout.channels);
  for (std::size_t row = 0; row < layout.rows; ++row) {
    for (std::size_t c = 0; c < layout.channels; ++c) {
      const double* const first = &x.values[row * layout.row() + c];
      double& mean = moments[row * 2 * layout.channels + c];
      double& variance = moments[(row * 2 + 1) * layout.channels + c];
      for (std::size_t i = 0; i < layout.pixels; ++i) mean += first[i * layout.channels];
      mean /= pixels;
      for (std::size_t i = 0; i < layout.pixels; ++i) {
        const double apart = first[i * layout.channels] - mean;
        variance += apart * apart;
      }
      variance /= pixels;
    }
  }
  return moments;
}

void pool_moments(const Extents& rows, const std::vector<double>& moments, std::vector<double>& pooled) {
  const auto count = static_cast<std::size_t>(rows[0]);
  const auto channels = static_cast<std::size_t>(rows[2]);
  for (std::size_t c = 0; c < channels; ++c) {
    double& mean = pooled[c];
    double& variance = pooled[channels + c];
    for (std::size_t row = 0; row < count; ++row) mean += moments[row * 2 * channels + c];
    mean /= static_cast<double>(count);
    for (std::size_t row = 0; row < count; ++row) {
      const double apart = moments[row * 2 * channels + c] - mean;
      variance += moments[(row * 2 + 1) * channels + c] + apart * apart;
    }
    variance /= static_cast<double>(count);
  }
}

std::unique_ptr<runtime::Call> make_row_moments(const runtime::BoundNode& bound) {
  return runtime::make_call([layout = ChannelLayout(bound.inputs[0]),
                             function = row_function(bound.isa)](const runtime::CallArguments& a) {
    function({input_as<float>(a, 0), output_as<float>(a), static_cast<std::size_t>(a.row_count), &layout});
  });
}

std::unique_ptr<runtime::Call> make_pooled_moments(const runtime::BoundNode& bound) {
  const auto rows = static_cast<std::size_t>(bound.inputs[0][0]);
  const auto channels = static_cast<std::size_t>(bound.inputs[0][2]);
  return runtime::make_call(
      [rows, channels, function = pool_function(bound.isa)](const runtime::CallArguments& a) {
        function({input_as<float>(a, 0), output_as<float>(a), rows, channels});
      });
}

std::unique_ptr<runtime::Call> make_moments(const runtime::BoundNode& bound) {
  return std::make_unique<MomentsCall>(bound.inputs[0], bound.isa);
}

}  // namespace graphrun::ops
