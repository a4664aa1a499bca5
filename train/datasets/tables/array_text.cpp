#include "train/datasets/tables/array_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <system_error>

#include "files/byte_source.hpp"
#include "files/file.hpp"
#include "files/npy.hpp"
#include "files/npz.hpp"

namespace graphrun::train {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_bytes = std::size_t{256} << 20;

}  // namespace

bool is_array(const fs::path& path) {
  constexpr std::string_view magic = "\x93NUMPY";
  if (files::npz_place(path)) return true;
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return false;
  std::array<std::uint8_t, magic.size()> start{};
  files::FileSource file(path);
  return file.read_all(start) == start.size() &&
         std::equal(start.begin(), start.end(), magic.begin(),
                    [](std::uint8_t byte, char sign) { return byte == static_cast<std::uint8_t>(sign); });
}

std::string text_of_array(const fs::path& path) {
  const files::NpyArray array = files::read_npy(path);
  if (array.shape.empty() || array.shape.size() > 2 || array.bytes.empty())
    throw files::data_error(
        path,
        fmt::format("holds an array [{}]; a table has rows of numbers: [rows, columns]. Examples of more "
                    "axes are `images:`",
                    fmt::join(array.shape, ", ")));
  if (array.bytes.size() > most_bytes)
    throw files::data_error(path, fmt::format("holds more than {} MiB, and of a table in this format no more "
                                              "are read: save it as CSV, which is read piece by piece",
                                              most_bytes >> 20U));
  const std::size_t columns = array.shape.size() == 2 ? array.shape[1] : 1;
  std::string text;
  files::for_each_element(array.type, array.bytes, [&](std::size_t index, auto number) {
    fmt::format_to(std::back_inserter(text), "{}{}", +number, (index + 1) % columns == 0 ? '\n' : ',');
  });
  return text;
}

}  // namespace graphrun::train
