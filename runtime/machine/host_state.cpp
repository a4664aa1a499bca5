#include "runtime/machine/host_state.hpp"

#include <xmmintrin.h>

// Weak: oneDNN may be built without OpenMP, and then nobody brings these.
extern "C" {
[[gnu::weak]] void omp_set_num_threads(int threads);
[[gnu::weak]] int omp_get_max_threads();
}

namespace graphrun::runtime {
namespace {

/// All exceptions masked, round to nearest, flush-to-zero and denormals-are-zero.
constexpr unsigned kernel_control = 0x1F80U | 0x8000U | 0x0040U;

}  // namespace

SingleOpenMpThread::SingleOpenMpThread() noexcept
    : threads_(omp_get_max_threads != nullptr ? omp_get_max_threads() : 0) {
  if (omp_set_num_threads != nullptr) omp_set_num_threads(1);
}

SingleOpenMpThread::~SingleOpenMpThread() {
  if (omp_set_num_threads != nullptr && threads_ > 0) omp_set_num_threads(threads_);
}

FlushToZero::FlushToZero() noexcept : control_(_mm_getcsr()) {
  _mm_setcsr(kernel_control);
}

FlushToZero::~FlushToZero() {
  _mm_setcsr(control_);
}

}  // namespace graphrun::runtime
