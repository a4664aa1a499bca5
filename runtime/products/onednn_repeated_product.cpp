#include "runtime/products/onednn.hpp"
#include "runtime/products/repeated_product.hpp"

namespace graphrun::runtime {
namespace {

/// oneDNN's bits follow the number of rows of a primitive: one of so many makes them all, also where fewer
/// are asked for.
constexpr std::int64_t block_rows = repeated_rows_step;

MatmulSpec block_of(const MatmulSpec& spec) {
  return {.rows = block_rows, .columns = spec.columns, .inner = spec.inner, .bias = spec.bias};
}

class BoundBlocks final : public BoundRepeatedProduct {
 public:
  BoundBlocks(const MatmulSpec& spec, std::unique_ptr<BoundMatmul> block)
      : spec_(spec), block_(std::move(block)) {}

  void take(const float* w, const float* bias, std::byte* room) noexcept override {
    arguments_.b = w;
    arguments_.bias = bias;
    arguments_.scratch = room;
  }

  bool run(const float* x, std::int64_t rows, float* y) noexcept override {
    for (std::int64_t row = 0; row < rows; row += block_rows) {
      arguments_.a = x + row * spec_.inner;
      arguments_.output = y + row * spec_.columns;
      if (!block_->run(arguments_)) return false;
    }
    return true;
  }

 private:
  MatmulSpec spec_;
  std::unique_ptr<BoundMatmul> block_;
  MatmulArguments arguments_;
};

class OneDnnRepeated final : public RepeatedProduct {
 public:
  OneDnnRepeated(const MatmulSpec& spec, Isa isa)
      : spec_(spec), block_(make_onednn_matmul(block_of(spec), isa)) {}

  std::unique_ptr<BoundRepeatedProduct> bind() const override {
    return std::make_unique<BoundBlocks>(spec_, block_->bind());
  }
  std::size_t room_bytes() const override { return block_->scratch_bytes(); }
  std::size_t x_row() const override { return static_cast<std::size_t>(spec_.inner); }
  std::size_t y_row() const override { return static_cast<std::size_t>(spec_.columns); }
  const std::string& implementation() const override { return block_->implementation(); }

 private:
  MatmulSpec spec_;
  std::unique_ptr<Matmul> block_;
};

}  // namespace

std::unique_ptr<RepeatedProduct> make_onednn_repeated(const MatmulSpec& spec, Isa isa) {
  return std::make_unique<OneDnnRepeated>(spec, isa);
}

}  // namespace graphrun::runtime
