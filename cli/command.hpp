/// \file
/// What a subcommand is: it declares its arguments, then runs. One file a subcommand, thin over train/ and
/// runtime/; failures leave as exceptions and are rendered in one place (failure.hpp).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace graphrun::cli {

class Arguments;
class Console;

/// The exit codes of the program; an interrupted run ends with 128 + the signal's number.
enum class ExitCode { ok = 0, failed = 1, usage = 2, model = 3, data = 4, not_finite = 5, check_failed = 6 };

/// The flags that every subcommand takes.
struct CommonFlags {
  std::vector<std::string> sets;      ///< "units=10", in the order given
  std::optional<std::uint64_t> seed;  ///< replaces the seed of the model file
  int threads = 0;                    ///< 0: all cores of the process
  std::string provider = "auto";      ///< who runs products: auto, onednn, tiles
  std::string precision;              ///< of products, instead of the model's; empty: that
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool no_progress = false;
};

struct Context {
  const CommonFlags& flags;
  Console& console;
  const std::string& program;  ///< how it was called, as a shell takes it again
};

class Command {
 public:
  virtual ~Command() = default;
  virtual std::string name() const = 0;
  virtual std::string about() const = 0;  ///< one line
  virtual void declare(Arguments& arguments) = 0;
  virtual int run(Context& context) = 0;  ///< returns the exit code
  /// Does it make StopSignals? Otherwise a signal ends it at once.
  virtual bool handles_signals() const { return false; }
};

/// All subcommands, in the order of the help.
std::vector<std::unique_ptr<Command>> all_commands();

inline int exit_code(ExitCode code) {
  return static_cast<int>(code);
}

}  // namespace graphrun::cli
