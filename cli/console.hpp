/// \file
/// Where the program writes: results on stdout, the log and the progress bar on stderr.
#pragma once

#include <string>
#include <string_view>

namespace graphrun::cli {

class Console {
 public:
  enum class Level { quiet, normal, verbose };

  /// `progress`: show the bar when stderr is a terminal.
  Console(Level level, bool progress);
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// A result, as it stands, on stdout.
  void result(std::string_view text);

  /// Lines of the log; the newline is added.
  void log(std::string_view line);
  void detail(std::string_view line);   ///< only with --verbose
  void warning(std::string_view line);  ///< also with --quiet

  /// Replaces the last line of the terminal; nothing when there is no bar.
  void progress(std::string_view line);
  void clear_progress();
  bool shows_progress() const { return progress_; }
  /// Columns of the terminal.
  std::size_t width() const;
  /// Writes out what is buffered; Error{io} if some result could not be written (a full disk).
  void finish();
  /// Does anybody still read the results, as far as what was written tells?
  bool has_reader() const;

 private:
  void line(std::string_view text);

  Level level_;
  bool progress_;
  bool bar_on_screen_ = false;
  int failure_ = 0;  ///< the errno of the first result that could not be written
};

/// Puts something in the place of standard streams that are closed, from which nothing can be read and to
/// which nothing can be written: otherwise the next file that is opened, maybe weights, gets their number and
/// the log.
void reserve_standard_streams() noexcept;

}  // namespace graphrun::cli
