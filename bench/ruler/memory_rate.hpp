/// \file
/// How fast this machine's memory is right now: the other ruler beside the peak (fma_peak.hpp).
#pragma once

#include <vector>

#include "bench/ruler/operand.hpp"

namespace graphrun::bench {

/// GB/s of one thread alone, and of all threads of a run together.
struct MemoryRates {
  double alone = 0;
  double together = 0;
};

/// Numbers that threads read and write as an optimizer does weights and slots: more than any cache holds.
class MemoryRuler {
 public:
  MemoryRuler();
  /// For so many threads, measured for about `seconds`. Each call gives what it found, a busy machine less.
  MemoryRates measure(int threads, double seconds);

 private:
  double together(std::size_t threads, double seconds);

  std::vector<Operand> stretches_;
};

/// By a ruler that is made for it.
MemoryRates measure_memory(int threads, double seconds);

}  // namespace graphrun::bench
