/// \file
/// Numbers by hash, in one piece of memory: what is looked up once a node must neither allocate nor wander.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace graphrun {

inline std::uint64_t hash_of(std::string_view text) {
  return std::hash<std::string_view>()(text);
}

/// Keys are hashes, well mixed in all their bits; the keys themselves are the caller's.
class HashTable {
 public:
  HashTable() : slots_(smallest) {}

  /// The number that belongs to a hash; 0 the first time.
  std::uint32_t& operator[](std::uint64_t hash) {
    if (2 * used_ >= slots_.size()) resize(2 * slots_.size());
    Slot& slot = slot_of(hash);
    if (!slot.taken) {
      slot = {hash, 0, true};
      ++used_;
    }
    return slot.number;
  }

  void reserve(std::size_t count) {
    if (2 * count > slots_.size()) resize(std::bit_ceil(2 * count));
  }

 private:
  static constexpr std::size_t smallest = 64;  // a power of two, and so is every size
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t number = 0;
    bool taken = false;
  };

  Slot& slot_of(std::uint64_t hash) {
    std::size_t at = hash & (slots_.size() - 1);
    while (slots_[at].taken && slots_[at].hash != hash) at = (at + 1) & (slots_.size() - 1);
    return slots_[at];
  }

  void resize(std::size_t size) {
    std::vector<Slot> before(size);
    before.swap(slots_);
    for (const Slot& slot : before) {
      if (slot.taken) slot_of(slot.hash) = slot;
    }
  }

  std::vector<Slot> slots_;
  std::size_t used_ = 0;
};

}  // namespace graphrun
