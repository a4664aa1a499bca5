#include "cli/console.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/output/colour.hpp"
#include "graphrun/error.hpp"

namespace graphrun::cli {

namespace {

void write_stderr(std::string_view text) {
  // A log that nobody can read is no reason to stop a run.
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
  static_cast<void>(std::fflush(stderr));
}

}  // namespace

Console::Console(Level level, bool progress)
    : level_(level), progress_(progress && level != Level::quiet && isatty(STDERR_FILENO) == 1) {}

Console::~Console() {
  clear_progress();
}

void Console::result(std::string_view text) {
  clear_progress();
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() && failure_ == 0) failure_ = errno;
}

void Console::finish() {
  clear_progress();
  if (std::fflush(stdout) != 0 && failure_ == 0) failure_ = errno;
  // Whoever reads has seen enough: `graphrun ops | head -1`.
  if (failure_ != 0 && failure_ != EPIPE)
    throw Error(ErrorCode::io,
                std::string("cannot write the result to standard output: ") + std::strerror(failure_));
}

bool Console::has_reader() const {
  return failure_ != EPIPE;
}

void Console::line(std::string_view text) {
  clear_progress();
  write_stderr(std::string(text) + "\n");
}

void Console::log(std::string_view text) {
  if (level_ != Level::quiet) line(text);
}

void Console::detail(std::string_view text) {
  if (level_ == Level::verbose) line(text);
}

void Console::warning(std::string_view text) {
  line(for_terminal("warning: " + std::string(text)));
}

void Console::progress(std::string_view text) {
  if (!progress_) return;
  write_stderr("\r\033[K" + std::string(text));
  bar_on_screen_ = true;
}

void Console::clear_progress() {
  if (!bar_on_screen_) return;
  write_stderr("\r\033[K");
  bar_on_screen_ = false;
}

std::size_t Console::width() const {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

void reserve_standard_streams() noexcept {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest free number is this one. It is opened the wrong way round, so that using it still fails.
    const int opened = open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    if (opened == -1) static_cast<void>(open("/", O_RDONLY | O_DIRECTORY));
  }
}

}  // namespace graphrun::cli
