#include "runtime/machine/host_state.hpp"

#include <xmmintrin.h>

#include "runtime/machine/onednn_library.hpp"

namespace graphrun::runtime {
namespace {

/// All exceptions masked, round to nearest, flush-to-zero and denormals-are-zero.
constexpr unsigned kernel_control = 0x1F80U | 0x8000U | 0x0040U;

}  // namespace

SingleOpenMpThread::SingleOpenMpThread() noexcept {
  const OpenMp openmp = onednn_openmp();
  if (openmp.set_threads == nullptr || openmp.most_threads == nullptr) return;
  threads_ = openmp.most_threads();
  openmp.set_threads(1);
}

SingleOpenMpThread::~SingleOpenMpThread() {
  if (threads_ > 0) onednn_openmp().set_threads(threads_);
}

FlushToZero::FlushToZero() noexcept : control_(_mm_getcsr()) {
  _mm_setcsr(kernel_control);
}

FlushToZero::~FlushToZero() {
  _mm_setcsr(control_);
}

DefaultFloatingPoint::DefaultFloatingPoint() noexcept {
  std::fegetenv(&environment_);
  std::fesetenv(FE_DFL_ENV);
}

DefaultFloatingPoint::~DefaultFloatingPoint() {
  std::fesetenv(&environment_);
}

}  // namespace graphrun::runtime
