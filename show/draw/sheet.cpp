#include "show/draw/sheet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "files/png/png.hpp"
#include "graphrun/error.hpp"

namespace graphrun::show {
namespace {

void check(std::span<const Pictures> lists, const SheetOptions& options) {
  if (lists.empty() || options.columns == 0 || options.magnify == 0) {
    throw Error(ErrorCode::usage,
                "a sheet needs at least one list of pictures, one column and a magnification of 1");
  }
  const Pictures& first = lists.front();
  for (const Pictures& list : lists) {
    const bool same = list.count == first.count && list.height == first.height && list.width == first.width &&
                      list.channels == first.channels;
    const std::size_t pixels = list.count * list.height * list.width * list.channels;
    if (!same || pixels == 0 || list.pixels.size() != pixels || (list.channels != 1 && list.channels != 3)) {
      throw Error(
          ErrorCode::usage,
          fmt::format(
              "a sheet cannot be made of {} pictures of {} x {} pixels, {} channels and {} bytes beside "
              "{} of {} x {} and {} channels",
              list.count, list.width, list.height, list.channels, list.pixels.size(), first.count,
              first.width, first.height, first.channels));
    }
  }
}

/// Where everything goes.
class Layout {
 public:
  Layout(const Pictures& list, std::size_t lists, const SheetOptions& options)
      : options_(options),
        lists_(lists),
        columns_(std::min(options.columns, list.count)),
        blocks_((list.count + columns_ - 1) / columns_),
        cell_width_(list.width * options.magnify + options.padding),
        cell_height_(list.height * options.magnify + options.padding) {}

  std::size_t width() const { return options_.padding + columns_ * cell_width_; }
  std::size_t height() const {
    return options_.padding + blocks_ * lists_ * cell_height_ + (blocks_ - 1) * options_.block_gap;
  }
  std::size_t left(std::size_t picture) const { return options_.padding + picture % columns_ * cell_width_; }
  std::size_t top(std::size_t picture, std::size_t list) const {
    const std::size_t block = picture / columns_;
    return options_.padding + (block * lists_ + list) * cell_height_ + block * options_.block_gap;
  }

 private:
  const SheetOptions& options_;
  std::size_t lists_;
  std::size_t columns_;
  std::size_t blocks_;
  std::size_t cell_width_;
  std::size_t cell_height_;
};

/// Copies one picture, magnified, to a place of the sheet.
void paste(const Pictures& list, std::size_t picture, std::size_t magnify, std::size_t left, std::size_t top,
           files::Image& sheet) {
  const std::size_t channels = list.channels;
  const auto pixels = std::span(list.pixels).subspan(picture * list.height * list.width * channels);
  for (std::size_t y = 0; y < list.height * magnify; ++y) {
    for (std::size_t x = 0; x < list.width * magnify; ++x) {
      const std::size_t from = (y / magnify * list.width + x / magnify) * channels;
      const std::size_t to = ((top + y) * sheet.width + left + x) * channels;
      for (std::size_t c = 0; c < channels; ++c) sheet.pixels[to + c] = pixels[from + c];
    }
  }
}

}  // namespace

files::Image compose_sheet(std::span<const Pictures> lists, const SheetOptions& options) {
  check(lists, options);
  const Layout layout(lists.front(), lists.size(), options);
  files::Image sheet;
  sheet.width = layout.width();
  sheet.height = layout.height();
  sheet.channels = lists.front().channels;
  if (sheet.width > files::largest_png_side || sheet.height > files::largest_png_side) {
    throw Error(ErrorCode::usage,
                fmt::format("a sheet of {} x {} pixels is too large: at most {} a side; take fewer "
                            "pictures",
                            sheet.width, sheet.height, files::largest_png_side));
  }
  sheet.pixels.assign(sheet.width * sheet.height * sheet.channels, options.background);
  for (std::size_t list = 0; list < lists.size(); ++list) {
    for (std::size_t picture = 0; picture < lists[list].count; ++picture) {
      paste(lists[list], picture, options.magnify, layout.left(picture), layout.top(picture, list), sheet);
    }
  }
  return sheet;
}

std::vector<std::uint8_t> to_pixels(std::span<const float> values) {
  std::vector<std::uint8_t> pixels;
  pixels.reserve(values.size());
  for (const float value : values) {
    // The comparison is false for NaN.
    const float clamped = value > 0.0F ? std::min(value, 1.0F) : 0.0F;
    pixels.push_back(static_cast<std::uint8_t>(std::lround(clamped * 255.0F)));
  }
  return pixels;
}

}  // namespace graphrun::show
