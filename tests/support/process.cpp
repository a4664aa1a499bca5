#include "tests/support/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

namespace graphrun::testing {

namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
    reader = ends[0];
    writer = ends[1];
  }
  ~Pipe() {
    close(reader);
    close_writer();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_writer() {
    if (writer >= 0) close(writer);
    writer = -1;
  }
  int reader = -1;
  int writer = -1;
};

[[noreturn]] void become(const std::vector<std::string>& words, const ProcessOptions& options, int out,
                         int err) {
  if (!options.folder.empty() && chdir(options.folder.c_str()) != 0) _exit(126);
  if (!options.stdout_path.empty())
    out = open(options.stdout_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  for (const std::string& variable : options.environment) putenv(const_cast<char*>(variable.c_str()));
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(127);
}

/// Appends what is there; false at the end of the stream.
bool drain(int descriptor, std::string& into) {
  std::array<char, 4096> buffer{};
  const ssize_t count = read(descriptor, buffer.data(), buffer.size());
  if (count > 0) into.append(buffer.data(), static_cast<std::size_t>(count));
  return count > 0;
}

class Child {
 public:
  Child(const std::vector<std::string>& words, const ProcessOptions& options) : options_(options) {
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ == 0) become(words, options, out_.writer, err_.writer);
    out_.close_writer();
    err_.close_writer();
  }

  ProcessResult wait() {
    const Clock::time_point start = Clock::now();
    bool out_open = true;
    bool err_open = true;
    while (out_open || err_open) {
      std::array<pollfd, 2> polled{
          {{out_open ? out_.reader : -1, POLLIN, 0}, {err_open ? err_.reader : -1, POLLIN, 0}}};
      poll(polled.data(), polled.size(), 5);
      if (polled[0].revents != 0) out_open = drain(out_.reader, result_.out);
      if (polled[1].revents != 0) err_open = drain(err_.reader, result_.err);
      send_signals(Clock::now() - start);
      if (Clock::now() - start > options_.timeout) kill(pid_, SIGKILL);
    }
    int status = 0;
    waitpid(pid_, &status, 0);
    result_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return std::move(result_);
  }

 private:
  void send_signals(Clock::duration elapsed) {
    if (options_.signal == 0 || signalled_) return;
    const bool due = options_.signal_when.empty()
                         ? elapsed >= options_.signal_after
                         : result_.err.find(options_.signal_when) != std::string::npos;
    if (!due) return;
    signalled_ = true;
    for (int i = 0; i < options_.signals; ++i) {
      kill(pid_, options_.signal);
      if (i + 1 < options_.signals) std::this_thread::sleep_for(options_.between_signals);
    }
  }

  const ProcessOptions& options_;
  Pipe out_;
  Pipe err_;
  pid_t pid_ = -1;
  bool signalled_ = false;
  ProcessResult result_;
};

}  // namespace

ProcessResult run_process(const std::vector<std::string>& words, const ProcessOptions& options) {
  return Child(words, options).wait();
}

}  // namespace graphrun::testing
