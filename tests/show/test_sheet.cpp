#include <limits>

#include "files/file.hpp"
#include "show/draw/sheet.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::show;
using graphrun::testing::throws;

namespace {

const files::Bytes first{11, 12, 13};   // three pictures of one pixel
const files::Bytes second{21, 22, 23};  // and what became of them

Pictures list_of(const files::Bytes& pixels) {
  return {pixels.size(), 1, 1, 1, pixels};
}

SheetOptions tight(std::size_t columns) {
  SheetOptions options;
  options.columns = columns;
  options.magnify = 1;
  options.padding = 0;
  options.block_gap = 1;
  options.background = 0;
  return options;
}

}  // namespace

TEST_CASE("sheet: pairs stand below each other, block by block") {
  const std::vector<Pictures> lists{list_of(first), list_of(second)};
  const files::Image sheet = compose_sheet(lists, tight(2));
  CHECK(sheet.width == 2);
  CHECK(sheet.height == 5);
  CHECK(sheet.pixels == files::Bytes{11, 12, 21, 22, 0, 0, 13, 0, 23, 0});
}

TEST_CASE("sheet: fewer pictures than columns make a narrower sheet") {
  const std::vector<Pictures> lists{list_of(first)};
  const files::Image sheet = compose_sheet(lists, tight(16));
  CHECK(sheet.width == 3);
  CHECK(sheet.pixels == first);
}

TEST_CASE("sheet: padding, magnification and colour") {
  const files::Bytes pixels{1, 2, 3, 4, 5, 6};  // one picture of 1 x 2 pixels
  const std::vector<Pictures> lists{{1, 1, 2, 3, pixels}};
  SheetOptions options = tight(1);
  options.magnify = 2;
  options.padding = 1;
  options.background = 9;
  const files::Image sheet = compose_sheet(lists, options);
  CHECK(sheet.width == 6);
  CHECK(sheet.height == 4);
  CHECK(sheet.channels == 3);
  const files::Bytes row(sheet.pixels.begin() + 18, sheet.pixels.begin() + 36);
  CHECK(row == files::Bytes{9, 9, 9, 1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6, 9, 9, 9});
  CHECK(files::Bytes(sheet.pixels.begin(), sheet.pixels.begin() + 18) == files::Bytes(18, 9));
  CHECK(files::Bytes(sheet.pixels.begin() + 36, sheet.pixels.begin() + 54) == row);
}

TEST_CASE("sheet: smaller pictures are magnified as far as they fit, and stand in the middle") {
  // One pixel, three by two, and two by one in colour.
  const std::vector<Pictures> lists{
      {1, 1, 1, 1, {7}}, {1, 2, 3, 1, {1, 2, 3, 4, 5, 6}}, {1, 1, 2, 3, {10, 11, 12, 20, 21, 22}}};
  const files::Image sheet = compose_sheet(std::span(lists).first(2), tight(1));
  CHECK(sheet.width == 3);
  CHECK(sheet.pixels == files::Bytes{7, 7, 0, 7, 7, 0, 1, 2, 3, 4, 5, 6});
  const files::Image colour = compose_sheet(std::span(lists).last(2), tight(1));
  CHECK(colour.channels == 3);
  CHECK(colour.height == 4);
  CHECK(files::Bytes(colour.pixels.begin(), colour.pixels.begin() + 9) ==
        files::Bytes{1, 1, 1, 2, 2, 2, 3, 3, 3});
  CHECK(files::Bytes(colour.pixels.begin() + 18, colour.pixels.begin() + 27) ==
        files::Bytes{10, 11, 12, 20, 21, 22, 0, 0, 0});
  SheetOptions twice = tight(1);
  twice.magnify = 2;
  const files::Image large = compose_sheet(std::span(lists).first(2), twice);
  CHECK(files::Bytes(large.pixels.begin(), large.pixels.begin() + 6) == files::Bytes{0, 7, 7, 7, 7, 0});
  CHECK(compose_sheet(std::span(lists).first(1), twice).pixels == files::Bytes(4, 7));
}

TEST_CASE("sheet: lists that do not fit each other") {
  const auto wrong = [](const std::vector<Pictures>& lists, const SheetOptions& options,
                        const std::string& part) {
    return throws([&] { compose_sheet(lists, options); }, ErrorCode::usage, part);
  };
  CHECK(wrong({}, {}, "at least one list"));
  CHECK(wrong({list_of(first)}, tight(0), "one column"));
  CHECK(wrong({list_of({})}, {}, "0 pictures"));
  CHECK(wrong({list_of(first), list_of({1, 2})}, {},
              "2 pictures of 1 x 1 pixels, 1 channels and 2 bytes beside 3 of"));
  CHECK(wrong({{2, 1, 1, 1, first}}, {}, "2 pictures"));
  const files::Bytes many(20000);
  CHECK(wrong({list_of(many)}, tight(1), "a sheet of 1 x 39999 pixels is too large"));
}

TEST_CASE("pixels from values: clamped and rounded") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> values{0, 1, 0.5F, -3, 7, nan, infinity, -infinity, 0.999F, 100.0F / 255.0F};
  CHECK(to_pixels(values) == files::Bytes{0, 255, 128, 0, 255, 0, 255, 0, 255, 100});
}
