#include "runtime/products/choose_product.hpp"

#include <array>

namespace graphrun::runtime {
namespace {

using enum ProviderChoice;

constexpr std::size_t sizes = 4;

/// By the last lines of `bench/kernels`, the time of tiles over that of oneDNN 2.6.3. With AVX-512 (a Xeon, a
/// busy host): few rows 1.09, few columns 0.70, small 1.03; of the large ones, whose operands others push out
/// of the cache there, 0.96 to 1.07 where the host left both alone. With AVX2 alone (an EPYC of 97 GFLOP/s a
/// core): few rows 0.87, few columns 0.60, small 1.03, large 0.95 to 1.00: 0.5 to 0.8 with 1,024 and 2,048
/// plain columns, up to 1.25 with others. Where tiles take a little longer than oneDNN they stay: they may be
/// cut anywhere without a change of bits, which is worth more in a step than alone, and on AVX2 oneDNN's bits
/// follow the number of rows. There are none without fused multiply-adds.
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
