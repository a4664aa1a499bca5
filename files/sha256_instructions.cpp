#include "files/sha256_instructions.hpp"

#include <cpuid.h>
#include <immintrin.h>

namespace graphrun::files {

namespace {

constexpr std::size_t block_bytes = 64;

__m128i load(const void* from) {
  return _mm_loadu_si128(static_cast<const __m128i*>(from));
}

/// Four words of the message schedule from the sixteen before them, the oldest first.
[[gnu::target("sha,sse4.1"), gnu::always_inline]] inline __m128i next_words(__m128i oldest, __m128i second,
                                                                            __m128i third, __m128i newest) {
  const __m128i early = _mm_sha256msg1_epu32(oldest, second);
  return _mm_sha256msg2_epu32(_mm_add_epi32(early, _mm_alignr_epi8(newest, third, 4)), newest);
}

}  // namespace

bool has_sha_instructions() noexcept {
  // By the instruction itself: not every compiler's list of features has this one.
  constexpr unsigned int sha_bit = 1U << 29U;
  unsigned int eax = 0;
  unsigned int ebx = 0;
  unsigned int ecx = 0;
  unsigned int edx = 0;
  const bool known = __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0;
  return known && (ebx & sha_bit) != 0 && __builtin_cpu_supports("sse4.1") != 0;
}

[[gnu::target("sha,sse4.1")]] void mix_by_instructions(std::array<std::uint32_t, 8>& state,
                                                       const std::uint8_t* blocks,
                                                       std::size_t count) noexcept {
  const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
  // The instructions keep the state as a b e f and c d g h, from the highest word down.
  const __m128i badc = _mm_shuffle_epi32(load(state.data()), 0xB1);
  const __m128i hgfe = _mm_shuffle_epi32(load(state.data() + 4), 0x1B);
  __m128i abef = _mm_alignr_epi8(badc, hgfe, 8);
  __m128i cdgh = _mm_blend_epi16(hgfe, badc, 0xF0);
  for (; count > 0; --count, blocks += block_bytes) {
    const __m128i abef_before = abef;
    const __m128i cdgh_before = cdgh;
    __m128i words[4];  // no std::array: its element would lose the alignment that the type carries
#pragma GCC unroll 16
    for (std::size_t i = 0; i < 16; ++i) {
      __m128i& now = words[i % 4];
      now = i < 4 ? _mm_shuffle_epi8(load(blocks + 16 * i), big_endian)
                  : next_words(words[i % 4], words[(i + 1) % 4], words[(i + 2) % 4], words[(i + 3) % 4]);
      const __m128i with_constants = _mm_add_epi32(now, load(sha256_constants.data() + 4 * i));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, with_constants);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(with_constants, 0x0E));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1B);
  const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xB1);
  auto* const target = reinterpret_cast<__m128i*>(state.data());
  _mm_storeu_si128(target, _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(target + 1, _mm_alignr_epi8(dchg, feba, 8));
}

}  // namespace graphrun::files
