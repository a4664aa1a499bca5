/// \file
/// The types of elements in files of arrays: their sizes, their names, their values.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace graphrun::files {

static_assert(std::endian::native == std::endian::little,
              "arrays are written to files as they lie in memory");

enum class StoredType { f16, bf16, f32, f64, i8, i16, i32, i64, u8, u16, u32, u64, boolean };

struct StoredTypeInfo {
  StoredType type;
  std::size_t size;
  std::string_view name;
  std::string_view npy;  ///< kind and size; empty where the format has none
  std::string_view safetensors;
};

/// In the order of the types.
inline constexpr std::array<StoredTypeInfo, 13> stored_types{{
    {StoredType::f16, 2, "f16", "f2", "F16"},
    {StoredType::bf16, 2, "bf16", "", "BF16"},
    {StoredType::f32, 4, "f32", "f4", "F32"},
    {StoredType::f64, 8, "f64", "f8", "F64"},
    {StoredType::i8, 1, "i8", "i1", "I8"},
    {StoredType::i16, 2, "i16", "i2", "I16"},
    {StoredType::i32, 4, "i32", "i4", "I32"},
    {StoredType::i64, 8, "i64", "i8", "I64"},
    {StoredType::u8, 1, "u8", "u1", "U8"},
    {StoredType::u16, 2, "u16", "u2", "U16"},
    {StoredType::u32, 4, "u32", "u4", "U32"},
    {StoredType::u64, 8, "u64", "u8", "U64"},
    {StoredType::boolean, 1, "bool", "b1", "BOOL"},
}};

constexpr const StoredTypeInfo& info_of(StoredType type) {
  return stored_types[static_cast<std::size_t>(type)];
}
constexpr std::size_t size_of(StoredType type) {
  return info_of(type).size;
}

constexpr bool is_real(StoredType type) {
  return type == StoredType::f16 || type == StoredType::bf16 || type == StoredType::f32 ||
         type == StoredType::f64;
}

/// The product of the sizes times the size of an element; nothing if that does not fit 63 bits.
inline std::optional<std::uint64_t> byte_count(StoredType type, std::span<const std::size_t> shape) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  std::uint64_t bytes = size_of(type);
  for (const std::size_t size : shape) {
    // With a zero among them the product is zero, yet sizes that overflow before it are a mistake too.
    if (size != 0 && bytes > most / size) return std::nullopt;
    bytes *= size;
  }
  return bytes;
}

/// Turns big-endian elements into those of this machine, or back.
void swap_bytes(StoredType type, std::span<std::uint8_t> bytes);

float from_f16(std::uint16_t bits);
constexpr float from_bf16(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

/// All elements as f32, which holds those of f16 and bf16 exactly; others are rounded.
std::vector<float> as_f32(StoredType type, std::span<const std::byte> bytes);

/// Calls `use(index, number)` for each element, with a number of its own type; f16 and bf16 as float.
template <class Use>
void for_each_element(StoredType type, std::span<const std::byte> bytes, const Use& use) {
  const auto each = [&]<class Stored>(Stored, const auto& number_of) {
    for (std::size_t i = 0; i < bytes.size() / sizeof(Stored); ++i) {
      Stored stored{};
      std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
      use(i, number_of(stored));
    }
  };
  const auto itself = [](auto number) { return number; };
  switch (type) {
    case StoredType::f16:
      return each(std::uint16_t{}, from_f16);
    case StoredType::bf16:
      return each(std::uint16_t{}, from_bf16);
    case StoredType::f32:
      return each(float{}, itself);
    case StoredType::f64:
      return each(double{}, itself);
    case StoredType::i8:
      return each(std::int8_t{}, itself);
    case StoredType::i16:
      return each(std::int16_t{}, itself);
    case StoredType::i32:
      return each(std::int32_t{}, itself);
    case StoredType::i64:
      return each(std::int64_t{}, itself);
    case StoredType::u16:
      return each(std::uint16_t{}, itself);
    case StoredType::u32:
      return each(std::uint32_t{}, itself);
    case StoredType::u64:
      return each(std::uint64_t{}, itself);
    case StoredType::u8:
    case StoredType::boolean:
      return each(std::uint8_t{}, itself);
  }
}

}  // namespace graphrun::files
