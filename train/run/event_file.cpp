#include "train/run/event_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <string>
#include <tuple>
#include <utility>

namespace graphrun::train {

namespace fs = std::filesystem;

namespace {

// ---- Records ----

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  constexpr std::uint32_t reversed_polynomial = 0x82f63b78;
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? reversed_polynomial : 0);
    table[byte] = crc;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> crc_table = make_crc_table();

/// A sum of bytes that contain such sums would be weak, so the format turns and shifts it.
std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(files::as_bytes(bytes));
  return std::rotr(crc, 15) + 0xa282ead8;
}

/// Little endian, as all numbers of the format.
template <class Number>
std::string fixed(Number number) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof number; ++i) bytes += static_cast<char>(number >> (8 * i) & 0xff);
  return bytes;
}

std::string record_of(std::string_view event) {
  const std::string length = fixed(static_cast<std::uint64_t>(event.size()));
  return length + fixed(masked_crc(length)) + std::string(event) + fixed(masked_crc(event));
}

// ---- Messages. Fields are named as in the .proto files ----

enum class Wire : std::uint32_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

std::string varint(std::uint64_t number) {
  std::string bytes;
  for (; number >= 0x80; number >>= 7) bytes += static_cast<char>(number | 0x80);
  return bytes + static_cast<char>(number);
}

std::string key(std::uint32_t field, Wire wire) {
  return varint(field << 3 | static_cast<std::uint32_t>(wire));
}

std::string integer(std::uint32_t field, std::uint64_t value) {
  return key(field, Wire::varint) + varint(value);
}
std::string bytes(std::uint32_t field, std::string_view value) {
  return key(field, Wire::bytes) + varint(value.size()) + std::string(value);
}

namespace event {
std::string wall_time_now() {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  return key(1, Wire::fixed64) + fixed(std::bit_cast<std::uint64_t>(now.count()));
}
std::string step(std::uint64_t value) {
  return integer(2, value);
}
std::string file_version() {
  return bytes(3, "brain.Event:2");
}
std::string summary(std::string_view values) {
  return bytes(5, values);
}
/// A session begins at this step: what was written of it and later ones before is void.
std::string session_start() {
  constexpr std::uint32_t status = 1;
  constexpr std::uint64_t start = 1;
  return bytes(7, integer(status, start));
}
}  // namespace event

namespace summary {
std::string value(std::string_view content) {
  return bytes(1, content);
}
std::string tag(std::string_view name) {
  return bytes(1, name);
}
std::string simple_value(double number) {
  return key(2, Wire::fixed32) + fixed(std::bit_cast<std::uint32_t>(static_cast<float>(number)));
}
std::string image(std::uint64_t height, std::uint64_t width, std::uint64_t channels, std::string_view png) {
  return bytes(4, integer(1, height) + integer(2, width) + integer(3, channels) + bytes(4, png));
}
}  // namespace summary

// ---- Files ----

/// Readers go through the files of a folder by name: time first, then the step. A run that is resumed within
/// the same second from the same step gets the next second.
std::pair<fs::path, files::Descriptor> create_file(const fs::path& folder, std::uint64_t step) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  for (auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();; ++seconds) {
    fs::path path = folder / fmt::format("events.out.tfevents.{:010}.graphrun.{:08}", seconds, step);
    files::Descriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_CREAT | O_EXCL, 0666));
    if (file.is_open()) return {std::move(path), std::move(file)};
    if (errno != EEXIST) throw files::io_error(path, "create", errno);
  }
}

struct PngHeader {
  std::uint64_t width = 0;
  std::uint64_t height = 0;
  std::uint64_t channels = 1;
};

/// The header chunk comes first: width, height, bits, kind (0 is grey, 2 is RGB).
PngHeader header_of(std::span<const std::uint8_t> png) {
  constexpr std::size_t width_at = 16;
  constexpr std::size_t height_at = 20;
  constexpr std::size_t kind_at = 25;
  if (png.size() <= kind_at || png[1] != 'P' || png[2] != 'N' || png[3] != 'G')
    throw Error(ErrorCode::usage, "a picture for TensorBoard must be a PNG");
  const auto number = [&](std::size_t at) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | png[at + i];
    return value;
  };
  return {number(width_at), number(height_at), png[kind_at] == 0 ? 1U : 3U};
}

}  // namespace

std::uint32_t crc32c(std::span<const std::uint8_t> bytes) noexcept {
  std::uint32_t crc = 0xffffffff;
  for (const std::uint8_t byte : bytes) crc = crc >> 8 ^ crc_table[(crc ^ byte) & 0xff];
  return ~crc;
}

EventFile::EventFile(const fs::path& folder, std::uint64_t last_step) {
  files::create_folders(folder);
  std::tie(path_, file_) = create_file(folder, last_step);
  append(event::wall_time_now() + event::file_version());
  append(event::wall_time_now() + event::step(last_step + 1) + event::session_start());
}

void EventFile::scalars(std::uint64_t step, std::span<const Figure> figures) {
  if (figures.empty()) return;
  std::string values;
  for (const Figure& figure : figures)
    values += summary::value(summary::tag(figure.name) + summary::simple_value(figure.value));
  append(event::wall_time_now() + event::step(step) + event::summary(values));
}

void EventFile::picture(std::uint64_t step, std::string_view tag, std::span<const std::uint8_t> png) {
  const PngHeader header = header_of(png);
  const std::string_view text(reinterpret_cast<const char*>(png.data()), png.size());
  const std::string value =
      summary::tag(tag) + summary::image(header.height, header.width, header.channels, text);
  append(event::wall_time_now() + event::step(step) + event::summary(summary::value(value)));
}

void EventFile::append(std::string_view event) {
  // One write for each record, so that a reader or an interruption sees whole ones.
  files::write_fully(file_.number(), files::as_bytes(record_of(event)), path_);
}

}  // namespace graphrun::train
