#include "files/file_kind.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <system_error>

#include "files/byte_source.hpp"
#include "files/gzip.hpp"
#include "files/npz.hpp"

namespace graphrun::files {

namespace {

namespace fs = std::filesystem;

using Start = std::span<const std::uint8_t>;

bool begins_with(Start start, std::string_view bytes) {
  return start.size() >= bytes.size() &&
         std::equal(bytes.begin(), bytes.end(), start.begin(),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

/// What a file seems to be that is not read, and what to do about it.
std::string likeness(Start start) {
  if (begins_with(start, "PK"))
    return "; it looks like a zip archive: unpack it; of NumPy's, the name ends in .npz";
  if (begins_with(start, "<")) return "; it looks like a web page";
  if (begins_with(start, "\x89HDF")) return "; it looks like HDF5: save its arrays as NPY";
  const bool is_text = std::all_of(start.begin(), start.end(), [](std::uint8_t byte) {
    return byte >= 32 || byte == '\t' || byte == '\r' || byte == '\n';
  });
  return is_text && !start.empty() ? "; a table of numbers needs a name that ends in .csv" : "";
}

/// Whoever unpacks or packs a file may leave its name as it was.
bool is_called_csv(const fs::path& path) {
  return has_ending(path, ".csv") || (has_ending(path, ".gz") && has_ending(path.stem(), ".csv"));
}

}  // namespace

bool has_ending(const fs::path& path, const char* ending) {
  std::string found = path.extension().string();
  std::transform(found.begin(), found.end(), found.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return found == ending;
}

std::optional<std::uintmax_t> bytes_of_file(const fs::path& path) {
  std::error_code failure;
  const std::optional<NpzPlace> place = npz_place(path);
  const std::uintmax_t bytes = fs::file_size(place ? place->file : path, failure);
  return failure ? std::nullopt : std::optional(bytes);
}

FileKind kind_of_file(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return FileKind::folder;
  if (npz_place(path)) return FileKind::npy;
  std::array<std::uint8_t, 8> buffer{};
  FileSource file(path);
  const Start start(buffer.data(), file.read_all(buffer));
  if (begins_with(start, "\x93NUMPY")) return FileKind::npy;
  if (begins_with(start, "\x89PNG")) return FileKind::picture;
  if (begins_with(start, "\xff\xd8\xff")) return FileKind::picture;
  const bool is_packed = looks_like_gzip(start);
  if (is_packed && is_called_csv(path)) return FileKind::csv;
  if (is_packed || begins_with(start, {"\0\0", 2})) return FileKind::idx;
  if (is_called_csv(path)) return FileKind::csv;
  if (start.empty()) throw data_error(path, "is empty");
  throw data_error(path, fmt::format("is no IDX, NPY, CSV, PNG or JPEG file: it begins with bytes {:02x}{}",
                                     fmt::join(start.first(std::min<std::size_t>(start.size(), 4)), " "),
                                     likeness(start)));
}

}  // namespace graphrun::files
