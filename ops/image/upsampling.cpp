#include "ops/image/upsampling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ops/isa_dispatch.hpp"
#include "ops/rows.hpp"

namespace graphrun::ops {
namespace {

/// A pixel along one axis of the enlarged image: (1 - weight) first + weight second of the image's.
struct Blend {
  std::size_t first = 0;
  std::size_t second = 0;
  double weight = 0;
};

std::vector<Blend> blends(std::int64_t extent, const Attributes& attributes) {
  const std::int64_t factor = upsampling_factor(attributes);
  const bool nearest = attributes.text("mode") == "nearest";
  std::vector<Blend> result;
  for (std::int64_t i = 0; i < extent * factor; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) / static_cast<double>(factor) - 0.5;
    const double inside = std::clamp(centre, 0.0, static_cast<double>(extent - 1));
    const auto first =
        static_cast<std::int64_t>(nearest ? static_cast<double>(i / factor) : std::floor(inside));
    const std::int64_t second = std::min(first + 1, extent - 1);
    const double weight = nearest ? 0 : inside - static_cast<double>(first);
    result.push_back({static_cast<std::size_t>(first), static_cast<std::size_t>(second), weight});
  }
  return result;
}

struct Sizes {
  Sizes(const Extents& input, const Extents& output)
      : from(static_cast<std::size_t>(input[1] * input[2])),
        to(static_cast<std::size_t>(output[1] * output[2])),
        channels(static_cast<std::size_t>(output[3])) {}
  std::size_t from;  ///< pixels of an image
  std::size_t to;
  std::size_t channels;
};

struct FloatPart {
  std::size_t from;
  std::size_t to;
  float weight;
};

struct Arguments {
  const float* x;
  float* y;
  std::size_t images;
  Sizes sizes;
  const std::vector<FloatPart>* parts;
};

struct Body {
  [[gnu::always_inline]] static void run(const Arguments& a) noexcept {
    const std::size_t channels = a.sizes.channels;
    const FloatPart* const parts = a.parts->data();
    const std::size_t count = a.parts->size();
    for (std::size_t n = 0; n < a.images; ++n) {
      const float* const x = a.x + n * a.sizes.from * channels;
      float* const y = a.y + n * a.sizes.to * channels;
      for (std::size_t i = 0; i < a.sizes.to * channels; ++i) y[i] = 0;
      for (std::size_t i = 0; i < count; ++i) {
        const float* const from = x + parts[i].from * channels;
        float* const to = y + parts[i].to * channels;
        const float weight = parts[i].weight;
#pragma GCC ivdep
        for (std::size_t c = 0; c < channels; ++c) to[c] += weight * from[c];
      }
    }
  }
};

}  // namespace

std::vector<AttributeSpec> upsampling_attributes() {
  return {integer("factor", 2, at_least(1), "how many times higher and wider"),
          word("mode", {"nearest", "bilinear"}, "nearest",
               "nearest repeats pixels, bilinear goes evenly from one to the next")};
}

std::int64_t upsampling_factor(const Attributes& attributes) {
  return attributes.integer("factor");
}

std::vector<Part> upsampling_parts(const Extents& small, const Attributes& attributes, Direction direction) {
  const std::vector<Blend> rows = blends(small[1], attributes);
  const std::vector<Blend> columns = blends(small[2], attributes);
  const auto width = static_cast<std::size_t>(small[2]);
  std::vector<Part> parts;
  std::size_t place = 0;
  const auto add = [&](std::size_t row, std::size_t column, double weight) {
    if (weight == 0) return;
    const std::size_t pixel = row * width + column;
    parts.push_back(direction == Direction::enlarge ? Part{pixel, place, weight}
                                                    : Part{place, pixel, weight});
  };
  for (const Blend& row : rows) {
    for (const Blend& column : columns) {
      add(row.first, column.first, (1 - row.weight) * (1 - column.weight));
      add(row.first, column.second, (1 - row.weight) * column.weight);
      add(row.second, column.first, row.weight * (1 - column.weight));
      add(row.second, column.second, row.weight * column.weight);
      ++place;
    }
  }
  return parts;
}

void reference_upsampling(const ReferenceContext& context, const Extents& small, Direction direction) {
  const HostTensor& x = *context.inputs[0];
  HostTensor& y = context.output;
  const Sizes sizes(x.extents, y.extents);
  const std::vector<Part> parts = upsampling_parts(small, context.node.attributes, direction);
  for (std::size_t n = 0; n < static_cast<std::size_t>(x.extents[0]); ++n) {
    for (const Part& part : parts) {
      for (std::size_t c = 0; c < sizes.channels; ++c) {
        y.values[(n * sizes.to + part.to) * sizes.channels + c] +=
            part.weight * x.values[(n * sizes.from + part.from) * sizes.channels + c];
      }
    }
  }
}

std::unique_ptr<runtime::Call> make_upsampling(const runtime::BoundNode& bound, const Extents& small,
                                               Direction direction) {
  std::vector<FloatPart> parts;
  for (const Part& part : upsampling_parts(small, bound.node.attributes, direction)) {
    parts.push_back({part.from, part.to, static_cast<float>(part.weight)});
  }
  return runtime::make_call([function = IsaLoops<Body, Arguments>::select(bound.isa),
                             parts = std::move(parts),
                             sizes = Sizes(bound.inputs[0], bound.output)](const runtime::CallArguments& a) {
    function(
        {input_as<float>(a, 0), output_as<float>(a), static_cast<std::size_t>(a.row_count), sizes, &parts});
  });
}

}  // namespace graphrun::ops
