#include <algorithm>

#include "runtime/products/matmul_tile.hpp"
#include "runtime/products/repeated_product.hpp"

namespace graphrun::runtime {
namespace {

/// Columns as whole vectors of any instruction set.
std::size_t padded(std::size_t columns) {
  constexpr std::size_t widest = 16;
  return (columns + widest - 1) / widest * widest;
}

/// Rows at powers of two would push each other out of the cache.
std::size_t row_apart(std::size_t columns) {
  constexpr std::size_t line = cache_line / sizeof(float);
  return padded(columns) + line;
}

struct Sizes {
  std::size_t inner;
  std::size_t columns;
  std::size_t panel;  ///< two vectors of columns
  std::size_t whole;  ///< columns as whole vectors
};

class BoundTiledRepeated final : public BoundRepeatedProduct {
 public:
  BoundTiledRepeated(const TileSet& tiles, const Sizes& sizes, bool bias)
      : tiles_(tiles), sizes_(sizes), has_bias_(bias) {}

  /// Panels of two vectors of columns, the last of one or two, filled up with zeros; behind them the bias.
  void take(const float* w, const float* bias, std::byte* room) noexcept override {
    packed_ = reinterpret_cast<float*>(room);
    float* target = packed_;
    for (std::size_t column = 0; column < sizes_.whole; column += sizes_.panel) {
      const std::size_t width = std::min(sizes_.panel, sizes_.whole - column);
      const std::size_t there = std::min(width, sizes_.columns - column);
      for (std::size_t i = 0; i < sizes_.inner; ++i, target += width) {
        std::copy_n(w + i * sizes_.columns + column, there, target);
        std::fill_n(target + there, width - there, 0.0F);
      }
    }
    bias_ = has_bias_ ? target : nullptr;
    if (!has_bias_) return;
    std::copy_n(bias, sizes_.columns, target);
    std::fill_n(target + sizes_.columns, sizes_.whole - sizes_.columns, 0.0F);
  }

  bool run(const float* x, std::int64_t rows, float* y) noexcept override {
    const auto count = static_cast<std::size_t>(rows);
    const std::size_t x_row = row_apart(sizes_.inner);
    const std::size_t y_row = row_apart(sizes_.columns);
    const std::size_t cuts = (count + tiles_.rows - 1) / tiles_.rows;
    const std::size_t each = (count + cuts - 1) / cuts;
    Tile tile{};
    tile.a_row = x_row;
    tile.a_inner = 1;
    tile.c_row = y_row;
    tile.inner = sizes_.inner;
    for (std::size_t column = 0; column < sizes_.whole; column += sizes_.panel) {
      const std::size_t vectors = std::min(sizes_.panel, sizes_.whole - column) / tiles_.lanes;
      tile.b = packed_ + column * sizes_.inner;
      tile.b_inner = vectors * tiles_.lanes;
      tile.start = bias_ == nullptr ? nullptr : bias_ + column;
      for (std::size_t row = 0; row < count; row += each) {
        tile.a = x + row * x_row;
        tile.c = y + row * y_row + column;
        tile.ahead = reinterpret_cast<const char*>(tile.b);
        tiles_.tile(true, vectors, std::min(each, count - row))(tile);
      }
    }
    return true;
  }

 private:
  const TileSet& tiles_;
  Sizes sizes_;
  bool has_bias_;
  float* packed_ = nullptr;
  const float* bias_ = nullptr;
};

class TiledRepeated final : public RepeatedProduct {
 public:
  TiledRepeated(const MatmulSpec& spec, Isa isa)
      : tiles_(tiles_of(isa)), bias_(spec.bias), name_("tiles:" + std::string(to_string(isa))) {
    const auto columns = static_cast<std::size_t>(spec.columns);
    const std::size_t whole = (columns + tiles_.lanes - 1) / tiles_.lanes * tiles_.lanes;
    sizes_ = {static_cast<std::size_t>(spec.inner), columns, 2 * tiles_.lanes, whole};
  }

  std::unique_ptr<BoundRepeatedProduct> bind() const override {
    return std::make_unique<BoundTiledRepeated>(tiles_, sizes_, bias_);
  }
  std::size_t room_bytes() const override {
    return (sizes_.inner + 1) * padded(sizes_.columns) * sizeof(float);
  }
  std::size_t x_row() const override { return row_apart(sizes_.inner); }
  std::size_t y_row() const override { return row_apart(sizes_.columns); }
  const std::string& implementation() const override { return name_; }

 private:
  const TileSet& tiles_;
  Sizes sizes_{};
  bool bias_;
  std::string name_;
};

}  // namespace

std::unique_ptr<RepeatedProduct> make_tiled_repeated(const MatmulSpec& spec, Isa isa) {
  return std::make_unique<TiledRepeated>(spec, isa);
}

}  // namespace graphrun::runtime
