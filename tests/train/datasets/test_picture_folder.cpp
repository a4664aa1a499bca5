#include <fstream>

#include "files/png/png.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/picture_folder.hpp"

using namespace graphrun;
using namespace graphrun::train;
using namespace graphrun::testing;

namespace fs = std::filesystem;

namespace {

/// A folder that pictures are put into.
class Pictures {
 public:
  const Pictures& grey(const std::string& name, std::uint8_t value, std::size_t side = 2) const {
    return put(name, {side, side, 1, files::Bytes(side * side, value)});
  }
  const Pictures& colour(const std::string& name, const files::Bytes& pixel) const {
    files::Image image{2, 2, 3, {}};
    for (int i = 0; i < 4; ++i) image.pixels.insert(image.pixels.end(), pixel.begin(), pixel.end());
    return put(name, image);
  }
  const Pictures& file(const std::string& name, const std::string& text = "") const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
    return *this;
  }
  PictureFolder read(std::optional<std::size_t> channels = {}) const {
    return read_picture_folder(folder_.path(), {.channels = channels});
  }
  bool refused(const std::string& name, const std::string& part) const {
    const auto call = [&] { read(); };
    return throws(call, ErrorCode::data,
                  (name.empty() ? folder_.path() : folder_ / name).string() + ": error: ") &&
           throws(call, ErrorCode::data, part);
  }
  fs::path operator/(const std::string& name) const { return folder_ / name; }

 private:
  const Pictures& put(const std::string& name, const files::Image& image) const {
    fs::create_directories((folder_ / name).parent_path());
    files::write_png(folder_ / name, image);
    return *this;
  }
  TemporaryFolder folder_;
};

using Texts = std::vector<std::string>;

files::Bytes first_pixels(const PictureFolder& folder) {
  files::Bytes pixels;
  for (std::size_t i = 0; i < folder.count; ++i)
    pixels.push_back(folder.pixels[i * folder.height * folder.width * folder.channels]);
  return pixels;
}

}  // namespace

TEST_CASE("pictures come in the order of their names, other files are passed over") {
  const Pictures pictures;
  pictures.grey("b.png", 2)
      .grey("a.PNG", 1)
      .grey("c.png", 3)
      .file(".hidden.png")
      .file("readme.txt")
      .file("labels.csv");
  const PictureFolder folder = pictures.read();
  CHECK(folder.count == 3);
  CHECK(folder.channels == 1);
  CHECK(first_pixels(folder) == files::Bytes{1, 2, 3});
  CHECK(folder.labels.empty());
}

TEST_CASE("folders are classes, and pictures come from each in turn") {
  const Pictures pictures;
  pictures.grey("dog/1.png", 1)
      .grey("dog/2.png", 2)
      .grey("dog/3.png", 3)
      .grey("cat/9.png", 4)
      .grey("cat/8.png", 5);
  fs::create_directories(pictures / ".git");
  const PictureFolder folder = pictures.read();
  CHECK(first_pixels(folder) == files::Bytes{5, 1, 4, 2, 3});
  CHECK(folder.labels == Texts{"cat", "dog", "cat", "dog", "dog"});
}

TEST_CASE("grey and colour are one set of colour, unless one of them is asked for") {
  const Pictures pictures;
  pictures.grey("a.png", 7).colour("b.png", {255, 0, 0}).grey("c.png", 9);
  const PictureFolder colour = pictures.read();
  CHECK(colour.channels == 3);
  CHECK(files::Bytes(colour.pixels.begin(), colour.pixels.begin() + 3) == files::Bytes{7, 7, 7});
  CHECK(files::Bytes(colour.pixels.begin() + 12, colour.pixels.begin() + 15) == files::Bytes{255, 0, 0});
  CHECK(files::Bytes(colour.pixels.end() - 3, colour.pixels.end()) == files::Bytes{9, 9, 9});
  CHECK(colour.pixels.size() == 36);
  const PictureFolder grey = pictures.read(1);
  CHECK(grey.channels == 1);
  CHECK(first_pixels(grey) == files::Bytes{7, 76, 9});
  CHECK(read_picture_alone(pictures / "a.png", {.channels = 3}).channels == 3);
  CHECK(read_picture_alone(pictures / "a.png", {}).channels == 1);
}

TEST_CASE("folders that are refused, with the file at fault") {
  CHECK(Pictures()
            .grey("a.png", 1)
            .grey("b.png", 1, 3)
            .refused("b.png",
                     "is a picture of 3 x 3 pixels, but a.png is one of 2 x 2: all must be of one size"));
  CHECK(Pictures().file("a.txt").refused(
      "", "holds no pictures: files that end in .png, .jpg or .jpeg are read"));
  CHECK(Pictures().refused("", "holds no pictures"));
  CHECK(Pictures()
            .grey("a.png", 1)
            .grey("cat/b.png", 1)
            .refused("", "holds pictures (a.png) and folders (cat)"));
  CHECK(
      Pictures().grey("cat/black/b.png", 1).refused("cat/black", "is a folder within the folder of a class"));
  CHECK(Pictures()
            .grey("a.png", 1)
            .file("b.webp")
            .refused("b.webp", "is a picture, but PNG and JPEG alone are read"));
  CHECK(Pictures().grey("a.png", 1).file("b.png", "nonsense").refused("b.png", "is no PNG file"));
  CHECK(throws([] { read_picture_folder("/none/such", {}); }, ErrorCode::io,
               "cannot read the folder: No such file"));
}
