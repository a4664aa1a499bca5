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

std::vector<Blend> enlarged(std::int64_t extent, const Attributes& attributes) {
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

/// Where pixel `i` of `to` lies among `from`, whose centres are whole numbers.
double place_of(double i, double from, double to, const std::string& coordinates) {
  if (coordinates == "asymmetric") return i * from / to;
  if (coordinates == "align_corners") return to == 1 ? 0 : i * (from - 1) / (to - 1);
  return (i + 0.5) * from / to - 0.5;
}

double nearest_of(double place, const std::string& rounding) {
  if (rounding == "floor") return std::floor(place);
  if (rounding == "ceil") return std::ceil(place);
  return rounding == "half_up" ? std::floor(place + 0.5) : std::ceil(place - 0.5);
}

std::vector<Blend> resized(std::int64_t from, std::int64_t to, const Attributes& attributes) {
  const bool nearest = attributes.text("mode") == "nearest";
  const auto last = static_cast<double>(from - 1);
  std::vector<Blend> result;
  for (std::int64_t i = 0; i < to; ++i) {
    const double place = place_of(static_cast<double>(i), static_cast<double>(from), static_cast<double>(to),
                                  attributes.text("coordinates"));
    const double inside = std::clamp(place, 0.0, last);
    const double first =
        nearest ? std::clamp(nearest_of(inside, attributes.text("rounding")), 0.0, last) : std::floor(inside);
    result.push_back({static_cast<std::size_t>(first), static_cast<std::size_t>(std::min(first + 1, last)),
                      nearest ? 0 : inside - first});
  }
  return result;
}

/// Of an axis of `small` pixels that becomes one of `large`.
std::vector<Blend> blends(std::int64_t small, std::int64_t large, const Attributes& attributes) {
  return attributes.find("factor") != nullptr ? enlarged(small, attributes)
                                              : resized(small, large, attributes);
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

/// What the pixels of the enlarged image's rows and columns are made of. A resized one counts as enlarged,
/// though it may be smaller.
struct Table {
  Table(const Extents& small, const Extents& large, const Attributes& attributes, Direction towards)
      : rows(blends(small[1], large[1], attributes)),
        columns(blends(small[2], large[2], attributes)),
        width(static_cast<std::size_t>(small[2])),
        direction(towards) {}
  std::vector<Blend> rows;
  std::vector<Blend> columns;
  std::size_t width;  ///< of the small image
  Direction direction;
};

/// Calls add(from, to, weight) for the terms of one image, whose places count its pixels.
template <class Add>
[[gnu::always_inline]] inline void each_term(const Table& table, const Add& add) {
  std::size_t place = 0;
  for (const Blend& row : table.rows) {
    for (const Blend& column : table.columns) {
      const auto term = [&](std::size_t y, std::size_t x, double weight) {
        if (weight == 0) return;
        const std::size_t pixel = y * table.width + x;
        if (table.direction == Direction::enlarge) {
          add(pixel, place, weight);
        } else {
          add(place, pixel, weight);
        }
      };
      term(row.first, column.first, (1 - row.weight) * (1 - column.weight));
      term(row.first, column.second, (1 - row.weight) * column.weight);
      term(row.second, column.first, row.weight * (1 - column.weight));
      term(row.second, column.second, row.weight * column.weight);
      ++place;
    }
  }
}

struct Arguments {
  const float* x;
  float* y;
  std::size_t images;
  Sizes sizes;
  const Table* table;
};

struct Body {
  [[gnu::always_inline]] static void run(const Arguments& a) noexcept {
    const std::size_t channels = a.sizes.channels;
    for (std::size_t n = 0; n < a.images; ++n) {
      const float* const x = a.x + n * a.sizes.from * channels;
      float* const y = a.y + n * a.sizes.to * channels;
      for (std::size_t i = 0; i < a.sizes.to * channels; ++i) y[i] = 0;
      each_term(*a.table, [&](std::size_t from_pixel, std::size_t to_pixel, double exact) {
        const float* const from = x + from_pixel * channels;
        float* const to = y + to_pixel * channels;
        const auto weight = static_cast<float>(exact);
#pragma GCC ivdep
        for (std::size_t c = 0; c < channels; ++c) to[c] += weight * from[c];
      });
    }
  }
};

template <Direction direction>
void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  HostTensor& y = context.output;
  const Sizes sizes(x.extents, y.extents);
  const bool enlarges = direction == Direction::enlarge;
  const Table table(enlarges ? x.extents : y.extents, enlarges ? y.extents : x.extents,
                    context.node.attributes, direction);
  for (std::size_t n = 0; n < static_cast<std::size_t>(x.extents[0]); ++n) {
    each_term(table, [&](std::size_t from, std::size_t to, double weight) {
      for (std::size_t c = 0; c < sizes.channels; ++c) {
        y.values[(n * sizes.to + to) * sizes.channels + c] +=
            weight * x.values[(n * sizes.from + from) * sizes.channels + c];
      }
    });
  }
}

template <Direction direction>
std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  const bool enlarges = direction == Direction::enlarge;
  const Extents& small = enlarges ? bound.inputs[0] : bound.output;
  const Extents& large = enlarges ? bound.output : bound.inputs[0];
  return runtime::make_call([function = IsaLoops<Body, Arguments>::select(bound.isa),
                             table = Table(small, large, bound.node.attributes, direction),
                             sizes = Sizes(bound.inputs[0], bound.output)](const runtime::CallArguments& a) {
    function(
        {input_as<float>(a, 0), output_as<float>(a), static_cast<std::size_t>(a.row_count), sizes, &table});
  });
}

template <Direction direction>
Cost cost(const CostContext& context) {
  const auto enlarged = static_cast<double>(
      element_count(direction == Direction::enlarge ? context.output : context.inputs[0]));
  return {2 * enlarged, 8 * enlarged};
}

}  // namespace

std::int64_t upsampling_factor(const Attributes& attributes) {
  return attributes.integer("factor");
}

std::int64_t upsampled_side(std::int64_t side, std::int64_t factor) {
  const std::int64_t enlarged = factor > largest_upsampled_side ? factor : checked_multiply(side, factor);
  if (enlarged <= largest_upsampled_side) return enlarged;
  throw OpError(
      fmt::format("{} pixels become {} times as many, but an enlarged image has at most {} on a side", side,
                  factor, largest_upsampled_side),
      {}, "factor");
}

Sides resized_sides(const Attributes& attributes) {
  const std::vector<std::int64_t>& size = attributes.integers("size");
  if (size.size() != 2) {
    throw OpError(fmt::format("size is a height and a width, not {} numbers", size.size()),
                  "Write for instance size: [28, 28].", "size");
  }
  for (const std::int64_t side : size) {
    if (side <= largest_upsampled_side) continue;
    throw OpError(
        fmt::format("a resized image has at most {} pixels on a side, not {}", largest_upsampled_side, side),
        {}, "size");
  }
  return {size[0], size[1]};
}

namespace {

Op in_direction(OpDef op, Direction direction) {
  const bool enlarges = direction == Direction::enlarge;
  op.axes = image_axes;
  op.reference = enlarges ? reference<Direction::enlarge> : reference<Direction::gradient>;
  op.cost = enlarges ? cost<Direction::enlarge> : cost<Direction::gradient>;
  return {std::move(op), {.make = enlarges ? make<Direction::enlarge> : make<Direction::gradient>}};
}

}  // namespace

Op upsampling(OpDef op, Direction direction) {
  op.attributes = {integer("factor", 2, at_least(1), "how many times higher and wider"),
                   word("mode", {"nearest", "bilinear"}, "nearest",
                        "nearest repeats pixels, bilinear goes evenly from one to the next")};
  return in_direction(std::move(op), direction);
}

Op resizing(OpDef op, Direction direction) {
  op.attributes = {extents("size", std::nullopt, "height and width"),
                   word("mode", {"nearest", "bilinear"}, "nearest",
                        "nearest takes a pixel, bilinear goes evenly from one to the next"),
                   word("coordinates", {"half_pixel", "asymmetric", "align_corners"}, "half_pixel",
                        "what lies on what: the images' edges, their first edges and pixels' corners, or the "
                        "corner pixels' "
                        "centres"),
                   word("rounding", {"half_down", "half_up", "floor", "ceil"}, "half_down",
                        "which pixel is nearest to a place between two")};
  return in_direction(std::move(op), direction);
}

}  // namespace graphrun::ops
