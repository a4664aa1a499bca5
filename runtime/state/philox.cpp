#include "runtime/state/philox.hpp"

#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "runtime/kernels/vector_math.hpp"
#include "runtime/machine/isa.hpp"

namespace graphrun::runtime {
namespace {

constexpr std::uint32_t multiplier_0 = 0xD2511F53U;
constexpr std::uint32_t multiplier_1 = 0xCD9E8D57U;
constexpr std::uint32_t weyl_0 = 0x9E3779B9U;
constexpr std::uint32_t weyl_1 = 0xBB67AE85U;
constexpr int rounds = 10;

/// Counters drawn together: word w of counter i is words[w][i].
constexpr std::size_t lanes = 64;
constexpr std::size_t block_size = 4 * lanes;
using Words = std::array<std::array<std::uint32_t, lanes>, 4>;

[[gnu::always_inline]] inline void round_of(std::uint32_t& a, std::uint32_t& b, std::uint32_t& c,
                                            std::uint32_t& d, std::uint32_t key_0, std::uint32_t key_1) {
  const std::uint64_t product_0 = std::uint64_t{multiplier_0} * a;
  const std::uint64_t product_1 = std::uint64_t{multiplier_1} * c;
  a = static_cast<std::uint32_t>(product_1 >> 32) ^ b ^ key_0;
  b = static_cast<std::uint32_t>(product_1);
  c = static_cast<std::uint32_t>(product_0 >> 32) ^ d ^ key_1;
  d = static_cast<std::uint32_t>(product_0);
}

[[gnu::always_inline]] inline void ten_rounds(std::uint32_t& a, std::uint32_t& b, std::uint32_t& c,
                                              std::uint32_t& d, PhiloxKey key) {
  for (int i = 0; i < rounds; ++i) {
    const auto n = static_cast<std::uint32_t>(i);
    round_of(a, b, c, d, key[0] + n * weyl_0, key[1] + n * weyl_1);
  }
}

/// Where a row's draws stand. The first word counts the columns in fours; the others are the same for a row.
PhiloxCounter row_counter(const RandomStream& stream, std::uint64_t row) {
  const auto step_high = static_cast<std::uint32_t>(stream.step >> 32);
  const auto row_high = static_cast<std::uint32_t>(row >> 32);
  return {0, static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(stream.step),
          (stream.domain & 0xFFU) | ((step_high & 0xFFFU) << 8) | ((row_high & 0xFFFU) << 20)};
}

[[gnu::always_inline]] inline Words drawn_words(const Words& counters, PhiloxKey key) {
  Words words;
  for (std::size_t i = 0; i < lanes; ++i) {
    std::uint32_t a = counters[0][i];
    std::uint32_t b = counters[1][i];
    std::uint32_t c = counters[2][i];
    std::uint32_t d = counters[3][i];
    ten_rounds(a, b, c, d, key);
    words[0][i] = a;
    words[1][i] = b;
    words[2][i] = c;
    words[3][i] = d;
  }
  return words;
}

using Wide [[gnu::vector_size(32)]] = std::uint64_t;

/// A round of four counters, whose words are the lower halves; what stands above them does not matter.
[[gnu::target("avx2"), gnu::always_inline]] inline void wide_round(std::array<Wide, 4>& words, Wide key_0,
                                                                   Wide key_1) {
  const __m256i factor_0 = _mm256_set1_epi64x(multiplier_0);
  const __m256i factor_1 = _mm256_set1_epi64x(multiplier_1);
  const auto product_0 =
      reinterpret_cast<Wide>(_mm256_mul_epu32(reinterpret_cast<__m256i>(words[0]), factor_0));
  const auto product_1 =
      reinterpret_cast<Wide>(_mm256_mul_epu32(reinterpret_cast<__m256i>(words[2]), factor_1));
  words = {(product_1 >> 32) ^ words[1] ^ key_0, product_1, (product_0 >> 32) ^ words[3] ^ key_1, product_0};
}

/// Counters at even and at odd places stay apart, as multiplications take them: the compiler would bring them
/// together in each round, which takes twice as long.
[[gnu::target("avx2")]] Words drawn_words_avx2(const Words& counters, PhiloxKey key) {
  using Unaligned [[gnu::aligned(4), gnu::may_alias]] = Wide;
  Words words;
  for (std::size_t i = 0; i < lanes; i += 8) {
    std::array<Wide, 4> even;
    std::array<Wide, 4> odd;
    for (std::size_t w = 0; w < 4; ++w) {
      even[w] = *reinterpret_cast<const Unaligned*>(&counters[w][i]);
      odd[w] = even[w] >> 32;
    }
    for (std::uint32_t n = 0; n < rounds; ++n) {
      const Wide key_0 = Wide{} + (key[0] + n * weyl_0);
      const Wide key_1 = Wide{} + (key[1] + n * weyl_1);
      wide_round(even, key_0, key_1);
      wide_round(odd, key_0, key_1);
    }
    for (std::size_t w = 0; w < 4; ++w) {
      const Wide both = (even[w] & 0xFFFFFFFFU) | (odd[w] << 32);
      *reinterpret_cast<Unaligned*>(&words[w][i]) = both;
    }
  }
  return words;
}

[[gnu::always_inline]] inline float unit(std::uint32_t bits) {
  return static_cast<float>(static_cast<std::int32_t>(bits >> 8)) * 0x1p-24F;
}

[[gnu::always_inline]] inline void uniform_body(const Words& words, float* values) {
  for (std::size_t i = 0; i < lanes; ++i) {
    for (std::size_t w = 0; w < 4; ++w) values[4 * i + w] = unit(words[w][i]);
  }
}

struct Pair {
  float sine;
  float cosine;
};

/// ln x for x in [2^-24, 1], with the bits of vector_log: with all that this does for other numbers the
/// compiler finds branches, and makes no vectors.
[[gnu::always_inline]] inline float log_of_unit(float x) {
  const auto bits = std::bit_cast<std::int32_t>(x);
  const std::int32_t exponent = (bits - 0x3F3504F3) >> 23;
  const float mantissa = std::bit_cast<float>(bits - (exponent << 23));
  return vector_log_reduced(mantissa - 1.0F, static_cast<float>(exponent));
}

/// Sine and cosine of 2 pi u for u in [0, 1): to the nearest quarter turn, then Cephes' polynomials.
[[gnu::always_inline]] inline Pair turn(float u) {
  const float quarters = u * 4.0F;
  // NOLINTNEXTLINE(bugprone-incorrect-roundings): lround is a call, which does not vectorise
  const auto nearest = static_cast<std::int32_t>(quarters + 0.5F);
  const float angle = (quarters - static_cast<float>(nearest)) * 1.57079632679F;
  const float s = angle * angle;
  float p = -1.9515295891e-4F;
  p = p * s + 8.3321608736e-3F;
  p = p * s + -1.6666654611e-1F;
  const float sine = angle + angle * s * p;
  float q = 2.443315711809948e-5F;
  q = q * s + -1.388731625493765e-3F;
  q = q * s + 4.166664568298827e-2F;
  const float cosine = 1.0F - 0.5F * s + s * s * q;
  const bool odd = (nearest & 1) != 0;
  const float first = odd ? cosine : sine;
  const float second = odd ? sine : cosine;
  return {(nearest & 2) != 0 ? -first : first, ((nearest + 1) & 2) != 0 ? -second : second};
}

[[gnu::always_inline]] inline void normal_body(const Words& words, float* values) {
  std::array<std::array<float, lanes>, 4> normals{};
  for (std::size_t w = 0; w < 4; w += 2) {
    for (std::size_t i = 0; i < lanes; ++i) {
      const float positive = unit(words[w][i]) + 0x1p-24F;  // in (0, 1]: exact
      const float radius = __builtin_sqrtf(-2.0F * log_of_unit(positive));
      const Pair pair = turn(unit(words[w + 1][i]));
      normals[w][i] = radius * pair.cosine;
      normals[w + 1][i] = radius * pair.sine;
    }
  }
  for (std::size_t i = 0; i < lanes; ++i) {
    for (std::size_t w = 0; w < 4; ++w) values[4 * i + w] = normals[w][i];
  }
}

using DrawBlock = void (*)(const Words&, PhiloxKey, float*);

void uniform_baseline(const Words& counters, PhiloxKey key, float* values) {
  uniform_body(drawn_words(counters, key), values);
}
[[gnu::target("avx2")]] void uniform_avx2(const Words& counters, PhiloxKey key, float* values) {
  uniform_body(drawn_words_avx2(counters, key), values);
}
[[gnu::target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")]] void uniform_avx512(
    const Words& counters, PhiloxKey key, float* values) {
  uniform_body(drawn_words(counters, key), values);
}
void normal_baseline(const Words& counters, PhiloxKey key, float* values) {
  normal_body(drawn_words(counters, key), values);
}
[[gnu::target("avx2")]] void normal_avx2(const Words& counters, PhiloxKey key, float* values) {
  normal_body(drawn_words_avx2(counters, key), values);
}
[[gnu::target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")]] void normal_avx512(const Words& counters,
                                                                                        PhiloxKey key,
                                                                                        float* values) {
  normal_body(drawn_words(counters, key), values);
}

constexpr std::array<DrawBlock, isa_count> uniform_fills = {uniform_baseline, uniform_avx2, uniform_avx512};
constexpr std::array<DrawBlock, isa_count> normal_fills = {normal_baseline, normal_avx2, normal_avx512};

/// Goes through the draws of rows, one row after the other. Four columns share a counter, so a row may leave
/// some of its last four unused.
class RowWalk {
 public:
  RowWalk(const RandomStream& stream, std::uint64_t first_row, std::size_t columns)
      : stream_(stream), row_(first_row), columns_(columns), drawn_columns_((columns + 3) / 4 * 4) {}

  /// Whether a block's draws are all wanted, and lie side by side.
  bool is_dense(std::size_t wanted) const {
    return wanted >= block_size && (columns_ == drawn_columns_ || column_ + block_size <= columns_);
  }

  /// The counters of the next block: the end of one row, and others behind it.
  void write_counters(Words& counters) const {
    std::uint64_t row = row_;
    std::size_t column = column_;
    for (std::size_t begin = 0; begin < lanes; ++row, column = 0) {
      const std::size_t count = std::min(lanes - begin, (drawn_columns_ - column) / 4);
      const PhiloxCounter of_row = row_counter(stream_, row);
      for (std::size_t i = 0; i < count; ++i)
        counters[0][begin + i] = static_cast<std::uint32_t>(column / 4 + i);
      for (std::size_t w = 1; w < 4; ++w) std::fill_n(counters[w].begin() + begin, count, of_row[w]);
      begin += count;
    }
  }

  void advance(std::size_t draws) {
    const std::size_t end = column_ + draws;
    row_ += end / drawn_columns_;
    column_ = end % drawn_columns_;
  }

  /// Copies what is wanted of the next block and goes past it. Returns what of `wanted` is left.
  std::span<float> take(std::span<const float> block, std::span<float> wanted) {
    while (!block.empty() && !wanted.empty()) {
      const std::size_t draws = std::min(block.size(), drawn_columns_ - column_);
      const std::size_t used = std::min({draws, columns_ - column_, wanted.size()});
      std::copy_n(block.begin(), used, wanted.begin());
      advance(draws);
      block = block.subspan(draws);
      wanted = wanted.subspan(used);
    }
    return wanted;
  }

 private:
  const RandomStream& stream_;
  std::uint64_t row_;
  std::size_t column_ = 0;
  std::size_t columns_;
  std::size_t drawn_columns_;
};

/// A block holds many short rows. It is drawn where it belongs if it can be.
void fill(DrawBlock draw, const RandomStream& stream, std::uint64_t first_row, std::size_t columns,
          std::span<float> values) {
  RowWalk walk(stream, first_row, columns);
  Words counters{};
  std::array<float, block_size> block{};
  while (!values.empty()) {
    walk.write_counters(counters);
    if (walk.is_dense(values.size())) {
      draw(counters, stream.key, values.data());
      walk.advance(block_size);
      values = values.subspan(block_size);
    } else {
      draw(counters, stream.key, block.data());
      values = walk.take(block, values);
    }
  }
}

/// The same in f64, a row at a time.
template <class FillRow>
void fill_rows(std::uint64_t first_row, std::size_t columns, std::span<double> values, FillRow fill_row) {
  for (std::uint64_t row = first_row; !values.empty(); ++row) {
    const std::size_t count = std::min(columns, values.size());
    fill_row(row, values.first(count));
    values = values.subspan(count);
  }
}

void uniform_row(const RandomStream& stream, std::uint64_t row, std::span<double> values) {
  PhiloxCounter counter = row_counter(stream, row);
  for (std::size_t column = 0; column < values.size(); column += 4, ++counter[0]) {
    const PhiloxCounter words = philox(counter, stream.key);
    const std::size_t count = std::min<std::size_t>(4, values.size() - column);
    for (std::size_t i = 0; i < count; ++i) values[column + i] = unit(words.at(i));
  }
}

void normal_row(const RandomStream& stream, std::uint64_t row, std::span<double> values) {
  PhiloxCounter counter = row_counter(stream, row);
  for (std::size_t column = 0; column < values.size(); column += 4, ++counter[0]) {
    const PhiloxCounter words = philox(counter, stream.key);
    for (std::size_t i = 0; i < 4 && column + i < values.size(); ++i) {
      const std::size_t first = i & ~std::size_t{1};
      const double radius = std::sqrt(-2.0 * std::log(unit(words.at(first)) + 0x1p-24));
      const double angle = 2.0 * std::numbers::pi * unit(words.at(first + 1));
      values[column + i] = radius * (i == first ? std::cos(angle) : std::sin(angle));
    }
  }
}

std::uint64_t mixed(std::uint64_t x) {  // the finaliser of SplitMix64
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

}  // namespace

PhiloxCounter philox(PhiloxCounter counter, PhiloxKey key) {
  ten_rounds(counter[0], counter[1], counter[2], counter[3], key);
  return counter;
}

std::uint64_t stable_hash(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return mixed(hash);
}

RandomStream RandomStream::of(std::string_view path, const RandomState& state) {
  const std::uint64_t key = stable_hash(path) ^ mixed(state.seed + 0x9E3779B97F4A7C15ULL);
  return {{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)}, state.domain, state.step};
}

void fill_uniform(const RandomStream& stream, std::uint64_t first_row, std::size_t columns,
                  std::span<float> values) {
  fill(uniform_fills.at(static_cast<std::size_t>(detected_isa())), stream, first_row, columns, values);
}

void fill_normal(const RandomStream& stream, std::uint64_t first_row, std::size_t columns,
                 std::span<float> values) {
  fill(normal_fills.at(static_cast<std::size_t>(detected_isa())), stream, first_row, columns, values);
}

void fill_uniform(const RandomStream& stream, std::uint64_t first_row, std::size_t columns,
                  std::span<double> values) {
  fill_rows(first_row, columns, values,
            [&](std::uint64_t row, std::span<double> of_row) { uniform_row(stream, row, of_row); });
}

void fill_normal(const RandomStream& stream, std::uint64_t first_row, std::size_t columns,
                 std::span<double> values) {
  fill_rows(first_row, columns, values,
            [&](std::uint64_t row, std::span<double> of_row) { normal_row(stream, row, of_row); });
}

std::uint64_t random_below(const RandomStream& stream, std::uint64_t row, std::uint64_t bound) {
  PhiloxCounter counter = row_counter(stream, row);
  const std::uint64_t unbiased = bound * (~std::uint64_t{0} / bound);
  for (;; ++counter[0]) {
    const PhiloxCounter words = philox(counter, stream.key);
    const std::uint64_t value = words[0] | (std::uint64_t{words[1]} << 32);
    if (value < unbiased) return value % bound;
  }
}

}  // namespace graphrun::runtime
