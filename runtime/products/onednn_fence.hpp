/// \file
/// What the files of the fence around oneDNN (onednn_*.cpp) share; nobody else includes it.
#pragma once

#include <fmt/format.h>
#include <sys/mman.h>

#include <cstddef>
#include <oneapi/dnnl/dnnl.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "graphrun/error.hpp"
#include "runtime/machine/host_state.hpp"
#include "runtime/machine/onednn_library.hpp"
#include "runtime/products/onednn.hpp"

// ThreadSanitizer does not see what generated code reads and writes: it is told.
#if defined(__SANITIZE_THREAD__)
extern "C" void __tsan_read_range(void* address, unsigned long size);
extern "C" void __tsan_write_range(void* address, unsigned long size);
#endif

namespace graphrun::runtime {

#if defined(__SANITIZE_THREAD__)
inline void announce_read(const void* address, std::size_t bytes) {
  __tsan_read_range(const_cast<void*>(address), bytes);
}
inline void announce_write(void* address, std::size_t bytes) {
  __tsan_write_range(address, bytes);
}
#else
inline void announce_read(const void* /*address*/, std::size_t /*bytes*/) {}
inline void announce_write(void* /*address*/, std::size_t /*bytes*/) {}
#endif

using Desc = dnnl::memory::desc;

inline bool set_address(const dnnl::memory& memory, const void* address) noexcept {
  return dnnl_memory_set_data_handle(memory.get(), const_cast<void*>(address)) == dnnl_success;
}

/// oneDNN writes the code of its kernels to where its allocator says, also where that is nowhere: whether
/// there is room for what a primitive needs.
inline bool has_room_for_code() noexcept {
  // The first product generates five MiB (oneDNN 2.6), while other threads take memory too.
  constexpr std::size_t room = std::size_t{16} << 20U;
  void* const begin = mmap(nullptr, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (begin == MAP_FAILED) return false;
  munmap(begin, room);
  return true;
}

/// False when oneDNN failed. It allocates as it runs, and lets std::bad_alloc out of its C functions.
inline bool run_primitive(const dnnl::primitive& primitive, const dnnl::stream& stream,
                          std::span<const dnnl_exec_arg_t> arguments) noexcept {
  try {
    return dnnl_primitive_execute(primitive.get(), stream.get(), static_cast<int>(arguments.size()),
                                  arguments.data()) == dnnl_success;
  } catch (...) {
    return false;
  }
}

/// Built fresh each time: copies of a primitive_attr share what they hold. Products of f32 stay so, also
/// where DNNL_DEFAULT_FPMATH_MODE allows less.
inline dnnl::primitive_attr primitive_attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attributes.set_fpmath_mode(dnnl::fpmath_mode::strict);
  return attributes;
}

/// An implementation, as plans and traces show it.
inline std::string onednn_name(const char* implementation) {
  return fmt::format("oneDNN {}", implementation);
}

/// Opens the library, and refuses one that we cannot run on one thread.
inline void use_onednn() {
  open_onednn();
  require_one_thread(dnnl_version()->cpu_runtime);
}

/// What make(engine) gives. Error{memory} or Error{internal} that says what oneDNN refused.
template <class Make>
auto made_by_onednn(std::string_view what, const Make& make) {
  use_onednn();
  if (!has_room_for_code())
    throw Error(ErrorCode::memory, "there is not enough memory for the code that oneDNN generates");
  // How many threads a primitive may use is fixed when it is made.
  const SingleOpenMpThread one;
  try {
    return make(dnnl::engine(dnnl::engine::kind::cpu, 0));
  } catch (const dnnl::error& error) {
    const ErrorCode code = error.status == dnnl_out_of_memory ? ErrorCode::memory : ErrorCode::internal;
    throw Error(code, fmt::format("oneDNN refuses {}: {}", what, error.what()));
  }
}

}  // namespace graphrun::runtime
