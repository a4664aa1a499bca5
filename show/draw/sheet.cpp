#include "show/draw/sheet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "files/png/png.hpp"
#include "graphrun/error.hpp"

namespace graphrun::show {
namespace {

struct Size {
  std::size_t height = 0;
  std::size_t width = 0;
};

void check(std::span<const Pictures> lists, const SheetOptions& options) {
  if (lists.empty() || options.columns == 0 || options.magnify == 0) {
    throw Error(ErrorCode::usage,
                "a sheet needs at least one list of pictures, one column and a magnification of 1");
  }
  const Pictures& first = lists.front();
  for (const Pictures& list : lists) {
    const std::size_t pixels = list.count * list.height * list.width * list.channels;
    const bool fits = list.count == first.count && pixels > 0 && list.pixels.size() == pixels;
    if (!fits || (list.channels != 1 && list.channels != 3)) {
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

/// What the largest picture takes, each pixel once.
Size cell_of(std::span<const Pictures> lists) {
  Size cell;
  for (const Pictures& list : lists) {
    cell.height = std::max(cell.height, list.height);
    cell.width = std::max(cell.width, list.width);
  }
  return cell;
}

std::size_t channels_of(std::span<const Pictures> lists) {
  return std::ranges::max(lists, {}, &Pictures::channels).channels;
}

/// Where everything goes.
class Layout {
 public:
  Layout(std::span<const Pictures> lists, const SheetOptions& options)
      : options_(options),
        lists_(lists.size()),
        count_(lists.front().count),
        columns_(std::min(options.columns, count_)),
        blocks_((count_ + columns_ - 1) / columns_),
        cell_{cell_of(lists).height * options.magnify, cell_of(lists).width * options.magnify} {}

  std::size_t width() const { return options_.padding + columns_ * (cell_.width + options_.padding); }
  std::size_t height() const {
    return options_.padding + blocks_ * lists_ * (cell_.height + options_.padding) +
           (blocks_ - 1) * options_.block_gap;
  }
  std::size_t left(std::size_t picture) const {
    return options_.padding + picture % columns_ * (cell_.width + options_.padding);
  }
  std::size_t top(std::size_t picture, std::size_t list) const {
    const std::size_t block = picture / columns_;
    return options_.padding + (block * lists_ + list) * (cell_.height + options_.padding) +
           block * options_.block_gap;
  }
  const Size& cell() const { return cell_; }

 private:
  const SheetOptions& options_;
  std::size_t lists_;
  std::size_t count_;
  std::size_t columns_;
  std::size_t blocks_;
  Size cell_;
};

/// Copies one picture, magnified, to a place of the sheet; grey ones to each of its channels.
void paste(const Pictures& list, std::size_t picture, std::size_t magnify, std::size_t left, std::size_t top,
           files::Image& sheet) {
  const std::size_t channels = list.channels;
  const auto pixels = std::span(list.pixels).subspan(picture * list.height * list.width * channels);
  for (std::size_t y = 0; y < list.height * magnify; ++y) {
    for (std::size_t x = 0; x < list.width * magnify; ++x) {
      const std::size_t from = (y / magnify * list.width + x / magnify) * channels;
      const std::size_t to = ((top + y) * sheet.width + left + x) * sheet.channels;
      for (std::size_t c = 0; c < sheet.channels; ++c)
        sheet.pixels[to + c] = pixels[from + std::min(c, channels - 1)];
    }
  }
}

/// All pictures of a list, as large as whole numbers make them, each in the middle of its cell.
void paste(const Pictures& list, std::size_t number, const Layout& layout, files::Image& sheet) {
  const Size& cell = layout.cell();
  const std::size_t magnify = std::min(cell.height / list.height, cell.width / list.width);
  const std::size_t right = (cell.width - list.width * magnify) / 2;
  const std::size_t down = (cell.height - list.height * magnify) / 2;
  for (std::size_t picture = 0; picture < list.count; ++picture)
    paste(list, picture, magnify, layout.left(picture) + right, layout.top(picture, number) + down, sheet);
}

}  // namespace

files::Image compose_sheet(std::span<const Pictures> lists, const SheetOptions& options) {
  check(lists, options);
  const Layout layout(lists, options);
  files::Image sheet;
  sheet.width = layout.width();
  sheet.height = layout.height();
  sheet.channels = channels_of(lists);
  if (sheet.width > files::largest_png_side || sheet.height > files::largest_png_side) {
    throw Error(ErrorCode::usage,
                fmt::format("a sheet of {} x {} pixels is too large: at most {} a side; take fewer "
                            "pictures",
                            sheet.width, sheet.height, files::largest_png_side));
  }
  sheet.pixels.assign(sheet.width * sheet.height * sheet.channels, options.background);
  for (std::size_t list = 0; list < lists.size(); ++list) paste(lists[list], list, layout, sheet);
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
