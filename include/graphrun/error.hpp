/// \file
/// Every failure of graphrun is an exception derived from graphrun::Error. There are three kinds:
/// what was given is wrong (usage, model, data, not_finite), the world failed (io, memory, cancelled),
/// or graphrun has a bug (internal). Nothing is printed and nothing exits.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "graphrun/export.hpp"

namespace graphrun {

enum class ErrorCode {
  usage,       ///< a call or a command line that makes no sense
  model,       ///< a model file that is wrong; see ModelError::diagnostics
  data,        ///< a data, weights or checkpoint file that is wrong
  not_finite,  ///< a NaN or an infinity appeared; node() names the first that made one
  io,          ///< the operating system refused: no such file, disk full, no permission
  memory,      ///< not enough memory, or more than the limit that was set
  cancelled,   ///< a stop was asked for
  internal     ///< a bug in graphrun
};

/// A place in a text file. Lines and columns count from 1; 0 means unknown. Columns count bytes.
struct SourceLocation {
  std::string file;
  int line = 0;
  int column = 0;
};

class GRAPHRUN_API Error : public std::runtime_error {
 public:
  /// what() is "FILE:LINE:COLUMN: error: node 'NODE': MESSAGE" with the parts that are known.
  Error(ErrorCode code, const std::string& message, SourceLocation where = {}, std::string node = {});
  ErrorCode code() const noexcept { return code_; }
  const SourceLocation& where() const noexcept { return where_; }
  const std::string& node() const noexcept { return node_; }
  /// The message alone, without place and node.
  const std::string& message() const noexcept { return message_; }

 protected:
  Error(const std::string& what, ErrorCode code, SourceLocation where, std::string node, std::string message);

 private:
  ErrorCode code_;
  SourceLocation where_;
  std::string node_;
  std::string message_;
};

/// One mistake in a model file.
struct Diagnostic {
  struct Note {
    SourceLocation where;
    std::string text;  ///< e.g. "in block 'dense', called here"
  };
  SourceLocation where;
  std::string node;         ///< the path of the node, e.g. "enc.1"; empty when no node is meant
  std::string op;           ///< its op or block, e.g. "matmul"; may be empty
  std::string message;      ///< what is wrong, with both shapes where shapes differ
  std::string line;         ///< the source line, for the caret
  std::string fix;          ///< the likely fix, a full sentence; may be empty
  std::vector<Note> notes;  ///< the blocks it came through, innermost first
};

/// "FILE:LINE:COLUMN: error: node 'enc.1' (matmul): MESSAGE", the line with a caret, notes, fix.
GRAPHRUN_API std::string to_string(const Diagnostic& diagnostic);

/// All independent mistakes of a model file at once. where(), node() and message() are the first one's.
class GRAPHRUN_API ModelError : public Error {
 public:
  explicit ModelError(std::vector<Diagnostic> diagnostics);  ///< not empty
  const std::vector<Diagnostic>& diagnostics() const noexcept { return diagnostics_; }

 private:
  std::vector<Diagnostic> diagnostics_;
};

}  // namespace graphrun
