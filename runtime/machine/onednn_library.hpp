/// \file
/// oneDNN is opened when the first of its primitives is made, and out of sight of everybody else: a host may
/// have a oneDNN of its own, of another version, and neither may bind to the other's functions. What dnnl.h
/// declares is defined here as jumps into the library that was opened, so the fence
/// (runtime/products/onednn.hpp) calls it as usual.
#pragma once

namespace graphrun::runtime {

/// Opens oneDNN if it is not open. To be called before any of its functions.
/// \throws Error{io} if the library is not there or cannot be used, Error{memory} if there is no room for it.
void open_onednn();

/// Has it been opened?
bool onednn_is_open() noexcept;

/// OpenMP as oneDNN sees it: null while oneDNN is closed, or where it is built without OpenMP.
struct OpenMp {
  void (*set_threads)(int threads) = nullptr;
  int (*most_threads)() = nullptr;
};
OpenMp onednn_openmp() noexcept;

}  // namespace graphrun::runtime
