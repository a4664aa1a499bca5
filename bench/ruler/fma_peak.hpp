/// \file
/// How fast this machine multiplies and adds right now: the ruler that a benchmark is bracketed with.
#pragma once

namespace graphrun::bench {

/// f32 GFLOP/s of fused multiply-adds in registers (of multiply and add without FMA), on so many threads at
/// once, measured for about `seconds`. Neighbours on the same host show in it.
double measure_fma_peak(int threads, double seconds);

}  // namespace graphrun::bench
