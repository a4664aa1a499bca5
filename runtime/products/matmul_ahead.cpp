#include "runtime/products/matmul_ahead.hpp"

#include <algorithm>

namespace graphrun::runtime {

void Pairs::take(Tile& tile) {
  tile.ahead = next;
  tile.ahead_step = step;
  const std::size_t count = std::min(left, tile.inner);
  next += step * static_cast<std::ptrdiff_t>(count);
  left -= count;
}

Ahead::Ahead(std::span<const Stretch> soon, std::size_t inner, std::size_t spare)
    : soon_(soon), turn_bytes_(std::max<std::size_t>(1, inner) * pair_bytes) {
  std::size_t turns = 0;
  for (const Stretch& stretch : soon) turns += (stretch.bytes + turn_bytes_ - 1) / turn_bytes_;
  pace_ = spare == 0 ? 1 : static_cast<float>(turns) / static_cast<float>(spare);
}

void Ahead::panel(const float* first, std::ptrdiff_t step, std::size_t count) {
  panel_ = {reinterpret_cast<const char*>(first), step, count};
}

void Ahead::rows(const float* first, std::ptrdiff_t step, std::size_t count) {
  rows_ = {reinterpret_cast<const char*>(first), step, count};
}

void Ahead::chunk(const float* first, std::ptrdiff_t step, std::size_t count, std::size_t bytes) {
  chunk_ = {reinterpret_cast<const char*>(first), step, count};
  chunk_begin_ = chunk_;
  chunk_passes_ = (bytes + pair_bytes - 1) / pair_bytes;
}

void Ahead::take(Tile& tile) {
  if (rows_.left > 0) return rows_.take(tile);
  if (panel_.left > 0) return panel_.take(tile);
  if (chunk_passes_ > 0) return take_chunk(tile);
  tile.ahead = reinterpret_cast<const char*>(tile.a);
  tile.ahead_step = 0;
  if (soon_.empty() || (credit_ += pace_) < 1) return;
  credit_ -= 1;
  take_soon(tile);
}

void Ahead::take_chunk(Tile& tile) {
  chunk_.take(tile);
  if (chunk_.left > 0) return;
  chunk_begin_.next += pair_bytes;
  chunk_ = chunk_begin_;
  --chunk_passes_;
}

void Ahead::take_soon(Tile& tile) {
  tile.ahead = reinterpret_cast<const char*>(soon_.front().begin) + done_;
  tile.ahead_step = pair_bytes;
  done_ += turn_bytes_;
  if (done_ < soon_.front().bytes) return;
  soon_ = soon_.subspan(1);
  done_ = 0;
}

}  // namespace graphrun::runtime
