#include "train/datasets/large_array.hpp"

#include <fmt/format.h>

#include <cmath>

#include "files/file.hpp"

namespace graphrun::train {

namespace {

constexpr double pixel_range = 255;

template <class Element>
void put_upright(std::span<Element> rows, const LargeReading& reading) {
  if (!reading.upright.empty()) exchange_axes(rows, reading.upright);
}

void read_pixels(files::ArrayPieces& pieces, const LargeReading& reading, Stored<std::uint8_t>& pixels) {
  StoredWriter<std::uint8_t> writer(reading.most_bytes);
  for (auto piece = pieces.next(); !piece.empty(); piece = pieces.next()) {
    const std::span rows(reinterpret_cast<std::uint8_t*>(piece.data()), piece.size());
    put_upright(rows, reading);
    writer.append(rows);
  }
  pixels = writer.take();
}

}  // namespace

void read_large(files::ArrayPieces& pieces, const LargeReading& reading, const std::filesystem::path& path,
                Stored<std::uint8_t>& pixels, Stored<float>& values) {
  const files::StoredType type = pieces.layout().type;
  const bool are_bytes = type == files::StoredType::u8;
  const double by = reading.divide_by.value_or(are_bytes ? pixel_range : 1);
  if (are_bytes && by == pixel_range) return read_pixels(pieces, reading, pixels);
  StoredWriter<float> writer(reading.most_bytes);
  std::vector<float> some;
  std::size_t before = 0;
  for (auto piece = pieces.next(); !piece.empty(); piece = pieces.next()) {
    some.clear();
    files::for_each_element(type, piece, [&](std::size_t index, auto number) {
      const auto value = static_cast<float>(number);
      if (!std::isfinite(value))
        throw files::data_error(path, fmt::format("holds {} in value {}; only finite f32 numbers are read",
                                                  number, before + index));
      some.push_back(by == 1 ? value : static_cast<float>(static_cast<double>(value) / by));
    });
    before += some.size();
    put_upright(std::span(some), reading);
    writer.append(some);
  }
  values = writer.take();
}

}  // namespace graphrun::train
