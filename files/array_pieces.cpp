#include "files/array_pieces.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace graphrun::files {

ArrayPieces::ArrayPieces(std::filesystem::path path, std::unique_ptr<ByteSource> source, ArrayLayout layout)
    : path_(std::move(path)), source_(std::move(source)), layout_(std::move(layout)), left_(layout_.bytes) {
  const std::size_t rows = layout_.shape.empty() ? 1 : layout_.shape.front();
  row_bytes_ = rows > 0 && layout_.bytes > 0 ? layout_.bytes / rows : 1;
}

std::span<std::byte> ArrayPieces::next() {
  constexpr std::uint64_t most = std::uint64_t{4} << 20;
  const std::uint64_t whole_rows = std::max<std::uint64_t>(most / row_bytes_, 1) * row_bytes_;
  piece_.resize(static_cast<std::size_t>(std::min(whole_rows, left_)));
  if (source_->read_all(piece_) != piece_.size())
    throw data_error(
        path_, fmt::format("promises [{}] values, and ends before them", fmt::join(layout_.shape, ", ")));
  left_ -= piece_.size();
  std::uint8_t beyond = 0;
  if (left_ == 0 && source_->read({&beyond, 1}) != 0)
    throw data_error(
        path_, fmt::format("goes on after the [{}] values that it promises", fmt::join(layout_.shape, ", ")));
  if (layout_.is_big_endian) swap_bytes(layout_.type, piece_);
  return std::as_writable_bytes(std::span(piece_));
}

}  // namespace graphrun::files
