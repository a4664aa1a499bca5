/// \file
/// Files that were changed on the way: a few bytes flipped, lost, or written twice.
#pragma once

#include <random>
#include <string>

namespace graphrun::testing {

inline std::string mutated(std::string bytes, std::mt19937& random) {
  for (auto changes = random() % 3 + 1; changes > 0 && !bytes.empty(); --changes) {
    const std::size_t at = random() % bytes.size();
    switch (random() % 4) {
      case 0:
        bytes[at] = static_cast<char>(random());
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
        break;
      case 2:
        bytes.erase(at, random() % 8 + 1);
        break;
      default:
        bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 16));
    }
  }
  return bytes;
}

}  // namespace graphrun::testing
