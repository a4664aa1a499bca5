#include "files/gzip.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>

namespace graphrun::files {
namespace {

constexpr int gzip_only = 16;  // added to the window bits: no zlib or raw format

}  // namespace

struct GzipSource::Stream {
  explicit Stream(Format format) {
    const int bits = format == Format::raw ? -MAX_WBITS : MAX_WBITS + gzip_only;
    const int result = ::inflateInit2(&state, bits);
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result != Z_OK) throw Error(ErrorCode::internal, fmt::format("inflateInit2 returned {}", result));
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { ::inflateEnd(&state); }

  z_stream state{};
  std::array<std::uint8_t, 64 * 1024> input{};
  bool finished = false;
};

bool looks_like_gzip(std::span<const std::uint8_t> bytes) noexcept {
  return bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

GzipSource::GzipSource(ByteSource& compressed, std::filesystem::path path, Format format)
    : compressed_(compressed),
      path_(std::move(path)),
      format_(format),
      stream_(std::make_unique<Stream>(format)) {}

GzipSource::~GzipSource() = default;

/// Makes input available; false at the end of the compressed bytes.
bool GzipSource::refill() {
  z_stream& state = stream_->state;
  if (state.avail_in > 0) return true;
  state.avail_in = static_cast<uInt>(compressed_.read(stream_->input));
  state.next_in = stream_->input.data();
  return state.avail_in > 0;
}

/// After the end of a member: false if it was the last. Bytes that begin no member fail in inflate().
bool GzipSource::next_member() {
  if (format_ == Format::raw || !refill()) return false;
  if (*stream_->state.next_in == 0) {
    pass_over_zeros();
    return false;
  }
  ::inflateReset(&stream_->state);
  return true;
}

/// Tapes and archives are filled up with zeros, which no member begins with.
void GzipSource::pass_over_zeros() {
  z_stream& state = stream_->state;
  for (; refill(); state.avail_in = 0)
    if (std::any_of(state.next_in, state.next_in + state.avail_in, [](Bytef byte) { return byte != 0; }))
      throw data_error(path_, "the gzip data is damaged: other bytes stand behind the zeros at its end");
}

std::size_t GzipSource::read(std::span<std::uint8_t> into) {
  if (stream_->finished || into.empty()) return 0;
  z_stream& state = stream_->state;
  const std::size_t room = std::min<std::size_t>(into.size(), std::numeric_limits<uInt>::max());
  state.next_out = into.data();
  state.avail_out = static_cast<uInt>(room);
  while (state.avail_out == room) {
    if (!refill()) throw data_error(path_, "the gzip data is cut off: the file is not complete");
    const int result = ::inflate(&state, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
      if (next_member()) continue;
      stream_->finished = true;
      break;
    }
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result != Z_OK) {
      throw data_error(path_, fmt::format("the gzip data is damaged: {}",
                                          state.msg != nullptr ? state.msg : "inconsistent stream"));
    }
  }
  return room - state.avail_out;
}

std::uint32_t crc32(std::span<const std::uint8_t> bytes, std::uint32_t start) noexcept {
  return static_cast<std::uint32_t>(::crc32_z(start, bytes.data(), bytes.size()));
}

}  // namespace graphrun::files
