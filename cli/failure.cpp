#include "cli/failure.hpp"

#include <fmt/format.h>

#include <new>

#include "graphrun/error.hpp"

namespace graphrun::cli {

namespace {

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

std::string report(const ModelError& error) {
  std::string text;
  for (const Diagnostic& diagnostic : error.diagnostics()) {
    text += to_string(diagnostic);
    if (text.back() != '\n') text += '\n';
  }
  const std::size_t count = error.diagnostics().size();
  if (count > 1) text += fmt::format("{} errors\n", count);
  return text;
}

std::string report(const Error& error) {
  const std::string what = error.what();
  const bool placed = what.find("error: ") != std::string::npos;
  std::string text = (placed ? "" : "error: ") + what + "\n";
  if (error.code() == ErrorCode::internal) text += "This is a bug in graphrun, not in what it was given.\n";
  return text;
}

}  // namespace

Failure describe(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const ModelError& error) {
    return {report(error), ExitCode::model};
  } catch (const Error& error) {
    return {report(error), exit_code_of(error.code())};
  } catch (const std::bad_alloc&) {
    return {"error: out of memory\n", ExitCode::failed};
  } catch (const std::exception& error) {
    return {fmt::format("error: {}\nThis is a bug in graphrun, not in what it was given.\n", error.what()),
            ExitCode::failed};
  } catch (...) {
    return {"error: unknown failure\nThis is a bug in graphrun, not in what it was given.\n",
            ExitCode::failed};
  }
}

}  // namespace graphrun::cli
