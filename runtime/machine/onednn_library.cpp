#include "runtime/machine/onednn_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "graphrun/error.hpp"

namespace {

/// A function of oneDNN: where it is once the library is open, and what it is called there.
struct Entry {
  void* function;
  const char* name;
};

}  // namespace

extern "C" {
[[gnu::visibility("hidden")]] extern Entry graphrun_onednn_entries[];
[[gnu::visibility("hidden")]] extern const Entry graphrun_onednn_end[];
}

// The functions of oneDNN that the fence calls, of 2.x or of 3.x: each is a jump through its entry. In
// assembler, since a jump needs no signature; hidden, since a host's calls are not for us. One that is
// missing here does not link; those of the other version stay empty, and nothing calls them.
asm(R"(
  .pushsection .data.rel.local, "aw"
  .balign 8
graphrun_onednn_entries:
  .popsection
  .irp name,)"
    " convolution_backward_data_primitive_desc_create convolution_backward_weights_primitive_desc_create"
    " convolution_forward_primitive_desc_create dilated_convolution_backward_data_desc_init"
    " dilated_convolution_backward_weights_desc_init dilated_convolution_forward_desc_init"
    " eltwise_backward_desc_init"
    " eltwise_backward_primitive_desc_create eltwise_forward_desc_init"
    " eltwise_forward_primitive_desc_create engine_create engine_destroy matmul_desc_init "
    "matmul_primitive_desc_create memory_create memory_create_v2"
    " memory_desc_clone memory_desc_create_with_strides memory_desc_create_with_tag memory_desc_destroy"
    " memory_desc_equal memory_desc_get_size memory_desc_get_size_v2 memory_desc_init_by_strides"
    " memory_desc_init_by_tag memory_desc_query memory_destroy memory_set_data_handle"
    " post_ops_append_eltwise post_ops_create post_ops_destroy primitive_attr_create"
    " primitive_attr_destroy primitive_attr_set_fpmath_mode primitive_attr_set_post_ops"
    " primitive_attr_set_scratchpad_mode"
    " primitive_create primitive_desc_destroy primitive_desc_iterator_create"
    " primitive_desc_iterator_destroy primitive_desc_iterator_fetch primitive_desc_query"
    " primitive_desc_query_md primitive_destroy primitive_execute reorder_primitive_desc_create"
    " stream_create stream_destroy version"
    R"(
  .pushsection .rodata.str1.1, "aMS", @progbits, 1
.Lname_\name:
  .string "dnnl_\name"
  .popsection
  .pushsection .data.rel.local
.Lentry_\name:
  .quad 0, .Lname_\name
  .popsection
  .pushsection .text
  .globl dnnl_\name
  .hidden dnnl_\name
  .type dnnl_\name, @function
dnnl_\name:
  endbr64
  jmp *.Lentry_\name(%rip)
  .size dnnl_\name, . - dnnl_\name
  .popsection
  .endr
  .pushsection .data.rel.local
graphrun_onednn_end:
  .popsection
)");

namespace graphrun::runtime {
namespace {

using SetThreads = void (*)(int);
using MostThreads = int (*)();

// Filled once, when the library is opened, and never emptied: it stays open, as its threads may.
std::once_flag opened;
std::atomic<bool> is_open{false};
std::atomic<SetThreads> set_threads{nullptr};
std::atomic<MostThreads> most_threads{nullptr};

std::span<Entry> entries() {
  return {graphrun_onednn_entries, static_cast<std::size_t>(graphrun_onednn_end - graphrun_onednn_entries)};
}

/// Whether functions of the host's would answer for those of our oneDNN, which calls itself by name.
bool host_has_another() {
  return std::ranges::any_of(entries(),
                             [](const Entry& entry) { return dlsym(RTLD_DEFAULT, entry.name) != nullptr; });
}

/// Whether there is room for the library: where it cannot be mapped the loader says so without the reason.
bool has_room_for_library() {
  constexpr std::size_t bytes = std::size_t{64} << 20;  // more than it takes, with what it uses in turn
  void* const room = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) return false;
  munmap(room, bytes);
  return true;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// A library that is not there is one thing, memory that is not there for it another. The room of static TLS
/// is no memory: a host that uses it up has to open its libraries in another order.
Error cannot_open(std::string_view reason) {
  const bool says_so = (contains(reason, "annot allocate memory") || contains(reason, "out of memory")) &&
                       !contains(reason, "static TLS");
  if (says_so || (contains(reason, "failed to map") && !has_room_for_library()))
    return {ErrorCode::memory, fmt::format("there is not enough memory to open oneDNN ({})", reason)};
  return {ErrorCode::io, fmt::format("oneDNN cannot be opened: {}", reason)};
}

void* open_library() {
  constexpr const char* name = GRAPHRUN_ONEDNN_LIBRARY;
  if (void* const open = dlopen(name, RTLD_NOW | RTLD_NOLOAD)) return open;
  // Looking into itself first is asked for only where it is needed: it also passes by an allocator of the
  // host's.
  const int scope = host_has_another() ? RTLD_LOCAL | RTLD_DEEPBIND : RTLD_LOCAL;
  if (void* const open = dlopen(name, RTLD_NOW | scope)) return open;
  const char* const reason = dlerror();
  throw cannot_open(reason == nullptr ? "out of memory" : reason);
}

void open_once() {
  void* const library = open_library();
  for (Entry& entry : entries()) entry.function = dlsym(library, entry.name);
  set_threads = reinterpret_cast<SetThreads>(dlsym(library, "omp_set_num_threads"));
  most_threads = reinterpret_cast<MostThreads>(dlsym(library, "omp_get_max_threads"));
  is_open = true;
}

}  // namespace

void open_onednn() {
  std::call_once(opened, open_once);
}

bool onednn_is_open() noexcept {
  return is_open;
}

OpenMp onednn_openmp() noexcept {
  return {set_threads.load(std::memory_order_acquire), most_threads.load(std::memory_order_acquire)};
}

}  // namespace graphrun::runtime
