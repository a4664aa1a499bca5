/// \file
/// Who wants to know of a run's outputs as they come.
#pragma once

#include <cstddef>
#include <span>

namespace graphrun::runtime {

class FetchObserver {
 public:
  virtual ~FetchObserver() = default;
  /// Run::fetches[fetch] is made, and lies at `made` until the session runs again. Whether that will do: it
  /// is then not copied to the fetch's bytes. Called on the threads of the run, while it goes on; not for
  /// outputs that no kernel makes, such as variables.
  virtual bool on_made(std::size_t fetch, std::span<const std::byte> made) noexcept = 0;
};

}  // namespace graphrun::runtime
