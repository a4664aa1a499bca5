/// \file
/// Variables whose new values come from elsewhere while a run goes on.
#pragma once

#include <cstddef>

namespace graphrun::runtime {

class Arrivals {
 public:
  virtual ~Arrivals() = default;
  /// Returns when the variable that has these values has all of them, or never will: wait_for_all() throws
  /// then. Called on the threads of a run, before each unit that reads or writes a variable.
  virtual void wait_for(const std::byte* values) noexcept = 0;
  /// Returns when all have arrived; throws when they do not.
  virtual void wait_for_all() = 0;
};

}  // namespace graphrun::runtime
