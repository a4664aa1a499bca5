/// \file
/// How large what a compressed file promises may be: a few bytes can stand for gigabytes of equal ones.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace graphrun::files {

/// Bytes that a compressed file of this size is believed to hold: far more than pictures and labels reach.
inline std::uint64_t believable(std::uint64_t file_bytes) {
  constexpr std::uint64_t always = std::uint64_t{16} << 20;
  constexpr std::uint64_t times = 32;
  return file_bytes > (~std::uint64_t{0} - always) / times ? ~std::uint64_t{0} : always + times * file_bytes;
}

/// "more than the 16842752 bytes that a file of 2048 bytes is believed to hold"
inline std::string beyond_belief(std::uint64_t file_bytes) {
  return fmt::format("more than the {} bytes that a file of {} bytes is believed to hold",
                     believable(file_bytes), file_bytes);
}

}  // namespace graphrun::files
