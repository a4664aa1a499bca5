/// \file
/// Long calls that Ctrl-C stops. Python tells of signals on its own thread only: a long call runs in a thread
/// of its own, while the interpreter's waits without the GIL and looks for signals now and then.
#pragma once

#include <nanobind/nanobind.h>

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "arrays.hpp"
#include "graphrun/graphrun.hpp"

namespace graphrun::python {

/// A thread that does one call, and may pause in it. While it pauses it does small tasks for others: a
/// session that learns may be looked at from the thread that is in its call, and from no other.
class Background {
 public:
  explicit Background(std::function<void(Background&)> call);
  /// Stops the call and waits for its end, without the GIL.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // ---- From within the call ----

  std::stop_token stop() const { return stop_.get_token(); }
  /// Until resume() or a stop.
  void pause();

  // ---- From Python, with the GIL ----

  /// Until the call pauses (true) or has ended (false). Throws what the call threw; after a signal whose
  /// handler raises, stops the call and raises that.
  bool wait();
  void resume();
  /// Runs a task on the thread of the call, which must pause: Error{usage} otherwise.
  void run(const std::function<void()>& task);

 private:
  enum class State { working, paused, ended };
  void work(const std::function<void(Background&)>& call);
  bool wait_a_moment();
  void finish();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::working;
  bool resumed_ = false;
  const std::function<void()>* task_ = nullptr;
  std::exception_ptr thrown_;
  std::stop_source stop_;
  std::thread thread_;  // last: it uses the others
};

/// Runs a call without the GIL; one that reads so many bytes so that Ctrl-C stops it.
void run_stoppable(std::size_t bytes, const std::function<void(std::stop_token)>& call);

}  // namespace graphrun::python
