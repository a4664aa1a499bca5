#include "stoppable.hpp"

#include <chrono>
#include <utility>

namespace graphrun::python {

namespace {

constexpr std::chrono::milliseconds between_looks{50};

/// What takes long enough for a thread of its own not to count.
constexpr std::size_t many_bytes = std::size_t{1} << 22;

}  // namespace

Background::Background(std::function<void(Background&)> call)
    : thread_([this, call = std::move(call)] { work(call); }) {}

Background::~Background() {
  const nb::gil_scoped_release released;
  finish();
}

void Background::work(const std::function<void(Background&)>& call) {
  std::exception_ptr thrown;
  try {
    call(*this);
  } catch (...) {
    thrown = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  thrown_ = std::move(thrown);
  state_ = State::ended;
  changed_.notify_all();
}

void Background::pause() {
  std::unique_lock lock(mutex_);
  state_ = State::paused;
  resumed_ = false;
  changed_.notify_all();
  for (;;) {
    changed_.wait(lock, [this] { return resumed_ || task_ != nullptr || stop_.stop_requested(); });
    if (task_ == nullptr) break;
    const std::function<void()>& task = *task_;
    lock.unlock();
    task();
    lock.lock();
    task_ = nullptr;
    changed_.notify_all();
  }
  state_ = State::working;
}

void Background::resume() {
  const std::lock_guard lock(mutex_);
  resumed_ = true;
  state_ = State::working;
  changed_.notify_all();
}

bool Background::wait_a_moment() {
  const nb::gil_scoped_release released;
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, between_looks, [this] { return state_ != State::working; });
}

void Background::finish() {
  stop_.request_stop();
  {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

bool Background::wait() {
  for (bool waits = true; waits;) {
    waits = !wait_a_moment();
    // Also when it did not wait long: of many short epochs none does.
    if (PyErr_CheckSignals() == 0) continue;
    nb::python_error raised;
    {
      const nb::gil_scoped_release released;
      finish();
    }
    throw raised;
  }
  const std::lock_guard lock(mutex_);
  if (state_ == State::paused) return true;
  if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
  return false;
}

void Background::run(const std::function<void()>& task) {
  std::exception_ptr thrown;
  const std::function<void()> guarded = [&] {
    try {
      task();
    } catch (...) {
      thrown = std::current_exception();
    }
  };
  {
    const nb::gil_scoped_release released;
    std::unique_lock lock(mutex_);
    if (state_ != State::paused || task_ != nullptr)
      throw Error(ErrorCode::usage,
                  "another thread is in a call of this session, which one thread at a time may use");
    task_ = &guarded;
    changed_.notify_all();
    changed_.wait(lock, [this] { return task_ == nullptr; });
  }
  if (thrown) std::rethrow_exception(thrown);
}

void run_stoppable(std::size_t bytes, const std::function<void(std::stop_token)>& call) {
  if (bytes < many_bytes) {
    const nb::gil_scoped_release released;
    call({});
    return;
  }
  Background background([&](Background& self) { call(self.stop()); });
  background.wait();
}

}  // namespace graphrun::python
