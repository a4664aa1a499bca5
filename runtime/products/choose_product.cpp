#include "runtime/products/choose_product.hpp"

#include <array>

namespace graphrun::runtime {
namespace {

using enum ProviderChoice;

constexpr std::size_t sizes = 4;

/// What `build/release/bench/kernels` says by size. Where tiles take a little longer than oneDNN they stay:
/// they may be cut anywhere without a change of bits, which is worth more in a step than alone. There are
/// none without fused multiply-adds.
constexpr std::array<std::array<ProviderChoice, sizes>, isa_count> table = {
    {{onednn, onednn, onednn, onednn}, {tiles, tiles, tiles, tiles}, {tiles, tiles, tiles, tiles}}};

}  // namespace

ProductSize size_of(const MatmulSpec& spec) {
  if (spec.rows < 4) return ProductSize::few_rows;
  if (spec.columns < 16) return ProductSize::few_columns;
  const double work =
      static_cast<double>(spec.rows) * static_cast<double>(spec.columns) * static_cast<double>(spec.inner);
  return work < 1 << 22 ? ProductSize::small : ProductSize::large;
}

std::string_view to_string(ProductSize size) {
  constexpr std::array<std::string_view, sizes> names = {"few rows", "few columns", "small", "large"};
  return names.at(static_cast<std::size_t>(size));
}

ProviderChoice choose_product(ProductSize size, Isa isa) {
  return table.at(static_cast<std::size_t>(isa)).at(static_cast<std::size_t>(size));
}

}  // namespace graphrun::runtime
