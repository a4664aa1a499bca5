#include "train/datasets/large_array.hpp"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "files/file.hpp"

namespace graphrun::train {

namespace {

constexpr double pixel_range = 255;

void read_pixels(files::NpyPieces& pieces, std::size_t most_bytes, Stored<std::uint8_t>& pixels) {
  StoredWriter<std::uint8_t> writer(most_bytes);
  for (auto piece = pieces.next(); !piece.empty(); piece = pieces.next())
    writer.append({reinterpret_cast<const std::uint8_t*>(piece.data()), piece.size()});
  pixels = writer.take();
}

}  // namespace

void read_large(files::NpyPieces& pieces, std::optional<double> divide_by, std::size_t most_bytes,
                const std::filesystem::path& path, Stored<std::uint8_t>& pixels, Stored<float>& values) {
  const bool are_bytes = pieces.type() == files::StoredType::u8;
  const double by = divide_by.value_or(are_bytes ? pixel_range : 1);
  if (are_bytes && by == pixel_range) return read_pixels(pieces, most_bytes, pixels);
  StoredWriter<float> writer(most_bytes);
  std::vector<float> some;
  std::size_t before = 0;
  for (auto piece = pieces.next(); !piece.empty(); piece = pieces.next()) {
    some.clear();
    files::for_each_element(pieces.type(), piece, [&](std::size_t index, auto number) {
      const auto value = static_cast<float>(number);
      if (!std::isfinite(value))
        throw files::data_error(path, fmt::format("holds {} in value {}; only finite f32 numbers are read",
                                                  number, before + index));
      some.push_back(by == 1 ? value : static_cast<float>(static_cast<double>(value) / by));
    });
    before += some.size();
    writer.append(some);
  }
  values = writer.take();
}

}  // namespace graphrun::train
