/// \file
/// A program that any number of threads runs at once, each alone on its own thread, over variables that
/// nobody changes meanwhile: what inference is inside a server. What a run needs is kept for the next one, so
/// that a run for which there is room allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "runtime/execute/session.hpp"

namespace graphrun::runtime {

/// Variables as runs share them: each version has a number of its own in the process, by which a run knows
/// that it has turned to others.
struct SharedVariables {
  std::shared_ptr<VariableStore> store;  ///< all that the program names, initialised
  std::uint64_t version = 0;
};
/// A number that no other variables have.
std::uint64_t next_variables_version() noexcept;

class SharedProgram {
 public:
  /// `graph` is in executable form, without effects. Of the options, `lowering`, `pages` and `max_bytes`
  /// count; the last is the limit of one run.
  SharedProgram(std::shared_ptr<const Graph> graph, const KernelRegistry& kernels, SessionOptions options);
  ~SharedProgram();
  SharedProgram(const SharedProgram&) = delete;
  SharedProgram& operator=(const SharedProgram&) = delete;

  /// Makes room for so many runs of the batch size at once. Any thread. Throws Error{memory}.
  void prepare(const SharedVariables& variables, std::int64_t batch, std::size_t runs);

  /// Runs the program on the calling thread. Any thread. The same bits as those of a Session. Errors: those
  /// of Session::run.
  void run(const SharedVariables& variables, const Run& run);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace graphrun::runtime
