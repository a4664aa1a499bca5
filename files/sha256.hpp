/// \file
/// SHA-256 (FIPS 180-4), for telling that data is what it should be.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace graphrun::files {

/// Takes bytes piece by piece; the pieces may have any size.
class Sha256 {
 public:
  Sha256();
  /// With the processor's own instructions, which it must have, or without: for tests.
  explicit Sha256(bool by_instructions) : by_instructions_(by_instructions) {}

  void update(std::span<const std::uint8_t> bytes);
  /// The digest as 64 lower-case hexadecimal digits. The object may not be used afterwards.
  std::string finish();

 private:
  void process(const std::uint8_t* blocks, std::size_t count);
  void mix(const std::uint8_t* block);

  bool by_instructions_;
  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> block_{};
  std::uint64_t length_ = 0;
};

std::string sha256(std::span<const std::uint8_t> bytes);

}  // namespace graphrun::files
