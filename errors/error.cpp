#include "graphrun/error.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "errors/printable.hpp"

namespace graphrun {
namespace {

std::string place(const SourceLocation& where) {
  if (where.file.empty()) return {};
  const std::string file = printable(where.file);
  if (where.line == 0) return file + ": ";
  return fmt::format("{}:{}:{}: ", file, where.line, where.column);
}

std::string located(const SourceLocation& where, const std::string& node, const std::string& message) {
  const std::string subject = node.empty() ? "" : fmt::format("node '{}': ", shortened(printable(node)));
  return fmt::format("{}error: {}{}", place(where), subject, shortened(printable(message, LineBreaks::kept)));
}

/// The line and a caret under the column; tabs are kept so that the caret stays under its character.
std::string excerpt(const std::string& line, int column) {
  const std::size_t before = std::min(line.size(), static_cast<std::size_t>(std::max(column - 1, 0)));
  std::string pad = printable(line.substr(0, before));
  for (char& c : pad) {
    if (c != '\t') c = ' ';
  }
  return fmt::format("    {}\n    {}^\n", printable(line), pad);
}

/// Nothing of a file reaches a reader raw, by whatever way he looks at a mistake.
std::vector<Diagnostic> printed(std::vector<Diagnostic> diagnostics) {
  for (Diagnostic& diagnostic : diagnostics) {
    for (std::string* text : {&diagnostic.node, &diagnostic.op, &diagnostic.message, &diagnostic.fix})
      *text = shortened(printable(*text));
    for (Diagnostic::Note& note : diagnostic.notes) note.text = shortened(printable(note.text));
  }
  return diagnostics;
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
      node_(printable(node)),
      message_(shortened(printable(message, LineBreaks::kept))) {}

std::string to_string(const Diagnostic& raw) {
  const Diagnostic diagnostic = printed({raw}).front();
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
      diagnostics_(printed(std::move(diagnostics))) {}

}  // namespace graphrun
