#include "graphrun/error.hpp"

#include <fmt/format.h>

namespace graphrun {
namespace {

std::string place(const SourceLocation& where) {
  if (where.file.empty()) return {};
  if (where.line == 0) return where.file + ": ";
  return fmt::format("{}:{}:{}: ", where.file, where.line, where.column);
}

std::string located(const SourceLocation& where, const std::string& node, const std::string& message) {
  const std::string subject = node.empty() ? "" : fmt::format("node '{}': ", node);
  return fmt::format("{}error: {}{}", place(where), subject, message);
}

/// The line and a caret under the column; tabs are kept so that the caret stays under its character.
std::string excerpt(const std::string& line, int column) {
  std::string pad;
  for (int i = 0; i + 1 < column && i < static_cast<int>(line.size()); ++i) {
    pad += line[static_cast<std::size_t>(i)] == '\t' ? '\t' : ' ';
  }
  return fmt::format("    {}\n    {}^\n", line, pad);
}

std::string rendered(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) text += to_string(diagnostic);
  return text;
}

}  // namespace

Error::Error(ErrorCode code, const std::string& message, SourceLocation where, std::string node)
    : Error(located(where, node, message), code, where, node, message) {}

Error::Error(const std::string& what, ErrorCode code, SourceLocation where, std::string node,
             std::string message)
    : std::runtime_error(what),
      code_(code),
      where_(std::move(where)),
      node_(std::move(node)),
      message_(std::move(message)) {}

std::string to_string(const Diagnostic& diagnostic) {
  std::string subject;
  if (!diagnostic.node.empty()) {
    const std::string op = diagnostic.op.empty() ? "" : fmt::format(" ({})", diagnostic.op);
    subject = fmt::format("node '{}'{}: ", diagnostic.node, op);
  }
  std::string text = fmt::format("{}error: {}{}\n", place(diagnostic.where), subject, diagnostic.message);
  if (!diagnostic.line.empty()) text += excerpt(diagnostic.line, diagnostic.where.column);
  for (const Diagnostic::Note& note : diagnostic.notes) {
    text += fmt::format("  {}note: {}\n", place(note.where), note.text);
  }
  if (!diagnostic.fix.empty()) text += fmt::format("  fix: {}\n", diagnostic.fix);
  return text;
}

ModelError::ModelError(std::vector<Diagnostic> diagnostics)
    : Error(rendered(diagnostics), ErrorCode::model, diagnostics.at(0).where, diagnostics.at(0).node,
            diagnostics.at(0).message),
      diagnostics_(std::move(diagnostics)) {}

}  // namespace graphrun
