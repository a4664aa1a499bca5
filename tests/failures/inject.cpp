#include "tests/failures/inject.hpp"

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

struct Failures {
  long nth = graphrun::testing::never;
  bool lasting = false;
  long count = 0;

  bool fails_now() { return lasting ? ++count >= nth : ++count == nth; }
};

constinit thread_local Failures of_allocations;

std::atomic<long> live = 0;

std::atomic<long> threads_nth = graphrun::testing::never;
std::atomic<bool> threads_lasting = false;
std::atomic<long> threads_count = 0;

void* allocate(std::size_t bytes, std::size_t alignment) noexcept {
  if (of_allocations.nth != graphrun::testing::never && of_allocations.fails_now()) return nullptr;
  const std::size_t size = bytes == 0 ? 1 : bytes;
  void* memory = nullptr;
  if (alignment <= alignof(std::max_align_t))
    memory = std::malloc(size);
  else if (::posix_memalign(&memory, alignment, size) != 0)
    memory = nullptr;
  if (memory != nullptr) ++live;
  return memory;
}

void release(void* memory) noexcept {
  if (memory != nullptr) --live;
  std::free(memory);
}

void* allocate_or_throw(std::size_t bytes, std::size_t alignment) {
  if (void* const memory = allocate(bytes, alignment)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t bytes) {
  return allocate_or_throw(bytes, 0);
}
void* operator new[](std::size_t bytes) {
  return allocate_or_throw(bytes, 0);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate_or_throw(bytes, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return allocate_or_throw(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return allocate(bytes, 0);
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return allocate(bytes, 0);
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete[](void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  release(memory);
}

extern "C" [[gnu::visibility("default")]] int pthread_create(pthread_t* thread,
                                                             const pthread_attr_t* settings,
                                                             void* (*begin)(void*), void* argument) {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  const long number = ++threads_count;
  if (threads_lasting ? number >= threads_nth : number == threads_nth) return EAGAIN;
  static const auto create = reinterpret_cast<Create>(::dlsym(RTLD_NEXT, "pthread_create"));
  return create(thread, settings, begin, argument);
}

namespace graphrun::testing {

FailingAllocations::FailingAllocations(long nth, bool lasting) {
  of_allocations = {nth, lasting, 0};
}
FailingAllocations::~FailingAllocations() {
  of_allocations = {};
}
long FailingAllocations::count() const {
  return of_allocations.count;
}

long live_allocations() {
  return live;
}

FailingThreads::FailingThreads(long nth, bool lasting) {
  threads_lasting = lasting;
  threads_count = 0;
  threads_nth = nth;
}
FailingThreads::~FailingThreads() {
  threads_nth = never;
}
long FailingThreads::count() const {
  return threads_count;
}

}  // namespace graphrun::testing
