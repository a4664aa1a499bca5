#include "cli/failure.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <new>
#include <system_error>

#include "cli/model_source.hpp"
#include "cli/output/colour.hpp"
#include "graphrun/error.hpp"

namespace graphrun::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* out_of_memory = "error: out of memory\n";

ExitCode exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage:
      return ExitCode::usage;
    case ErrorCode::model:
      return ExitCode::model;
    case ErrorCode::data:
    case ErrorCode::io:
      return ExitCode::data;
    case ErrorCode::not_finite:
      return ExitCode::not_finite;
    case ErrorCode::memory:
    case ErrorCode::cancelled:
    case ErrorCode::internal:
      return ExitCode::failed;
  }
  return ExitCode::failed;
}

/// What a person sees in an editor there; empty where the place is in no model file, or the file is gone.
std::string line_of_model(const SourceLocation& where) {
  std::error_code ignored;
  if (where.line < 1 || !is_model_file(where.file) || !fs::is_regular_file(where.file, ignored)) return {};
  std::ifstream file(where.file);
  std::string line;
  for (int number = 0; number < where.line; ++number)
    if (!std::getline(file, line)) return {};
  return line;
}

std::string text_of(const ModelError& error) {
  std::string text;
  for (Diagnostic diagnostic : error.diagnostics()) {
    if (diagnostic.line.empty()) diagnostic.line = line_of_model(diagnostic.where);
    text += to_string(diagnostic);
    if (text.back() != '\n') text += '\n';
  }
  const std::size_t count = error.diagnostics().size();
  if (count > 1) text += fmt::format("{} errors\n", count);
  return text;
}

/// The word of the command line that names a file: "--images" of --images FILE or --images=FILE, and of --set
/// the path of the key as well, whose files are told by absolute paths.
std::string flag_of(const std::string& file, std::span<const std::string> words) {
  std::error_code ignored;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool is_setting = i > 0 && words[i - 1] == "--set";
    if (!words[i].starts_with("--") && !is_setting) continue;
    const std::size_t equals = words[i].rfind('=');
    if (equals == std::string::npos) {
      if (i + 1 < words.size() && words[i + 1] == file) return words[i];
      continue;
    }
    const std::string value = words[i].substr(equals + 1);
    if (value == file || (is_setting && fs::absolute(value, ignored).lexically_normal() == file))
      return (is_setting ? "--set " : "") + words[i].substr(0, equals);
  }
  return {};
}

std::string text_of(const Error& error, const std::string& model_file, std::span<const std::string> words) {
  const bool is_lost = error.code() == ErrorCode::model && error.where().file.empty() && !model_file.empty();
  const std::string what =
      is_lost ? Error(error.code(), error.message(), {model_file, 1, 1}, error.node()).what() : error.what();
  const bool placed = what.find("error: ") != std::string::npos;
  const std::string line = line_of_model(error.where());
  std::string text = (placed ? "" : "error: ") + what + "\n";
  if (!line.empty())
    text = to_string(Diagnostic{error.where(), error.node(), {}, error.message(), line, {}, {}});
  const std::string flag = error.where().file.empty() ? "" : flag_of(error.where().file, words);
  if (!flag.empty()) text += fmt::format("  note: it is what {} names\n", flag);
  if (error.code() == ErrorCode::internal) text += "This is a bug in graphrun, not in what it was given.\n";
  return text;
}

}  // namespace

Failure describe(const std::exception_ptr& exception, const std::string& model_file,
                 std::span<const std::string> words) {
  try {
    std::rethrow_exception(exception);
  } catch (const ModelError& error) {
    return {text_of(error), ExitCode::model};
  } catch (const Error& error) {
    return {text_of(error, model_file, words), exit_code_of(error.code())};
  } catch (const std::bad_alloc&) {
    return {out_of_memory, ExitCode::failed};
  } catch (const std::filesystem::filesystem_error& error) {
    return {fmt::format("{}: error: {}\n", error.path1().string(), error.code().message()), ExitCode::data};
  } catch (const std::system_error& error) {
    // What the system refuses is no bug.
    if (error.code() == std::errc::resource_unavailable_try_again)
      return {
          "error: the system starts no more threads: it lacks memory for them, or their number is limited\n",
          ExitCode::failed};
    return {fmt::format("error: the system refuses: {}\n", error.what()), ExitCode::failed};
  } catch (const std::exception& error) {
    return {fmt::format("error: {}\nThis is a bug in graphrun, not in what it was given.\n", error.what()),
            ExitCode::failed};
  } catch (...) {
    return {"error: unknown failure\nThis is a bug in graphrun, not in what it was given.\n",
            ExitCode::failed};
  }
}

int report(const std::exception_ptr& exception, const std::string& model_file,
           std::span<const std::string> words) noexcept {
  try {
    const Failure failure = describe(exception, model_file, words);
    std::fputs(for_terminal(failure.text).c_str(), stderr);
    return exit_code(failure.code);
  } catch (...) {
    std::fputs(out_of_memory, stderr);
    return exit_code(ExitCode::failed);
  }
}

}  // namespace graphrun::cli
