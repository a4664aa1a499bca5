/// \file
/// Who wants to know of a run's outputs as they come.
#pragma once

#include <cstddef>

namespace graphrun::runtime {

class FetchObserver {
 public:
  virtual ~FetchObserver() = default;
  /// The bytes of Run::fetches[fetch] are there. Called on the threads of the run, while it goes on; not for
  /// outputs that no kernel makes, such as variables: they are there when the run returns.
  virtual void on_fetched(std::size_t fetch) noexcept = 0;
};

}  // namespace graphrun::runtime
