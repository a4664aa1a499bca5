/// \file
/// The scanner behind scan_yaml: block lines in scan.cpp, what is inside brackets in scan_flow.cpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "language/syntax/scan.hpp"

namespace graphrun::scanning {

struct Bracket {
  std::size_t at = 0;
  char open = '{';
  bool has_colon = false;             // of the entry being read
  std::optional<std::size_t> scalar;  // where the plain text of this entry starts
  std::size_t scalar_end = 0;
  bool has_value = false;  // a quoted text or a closed bracket has been read in this entry
};

inline bool is_space(char c) {
  return c == ' ' || c == '\t';
}

/// Reads the text once, line by line; `at_` always moves forward.
class Scanner {
 public:
  Scanner(const std::string& text, std::size_t source, Diagnostics& diagnostics)
      : text_(text), source_(source), diagnostics_(diagnostics), result_{text, true} {}

  ScannedText run() {
    while (at_ < text_.size() && !stop_) line();
    if (!brackets_.empty() && !stop_) unclosed();
    return std::move(result_);
  }

 private:
  // ---- small things ----
  char peek(std::size_t i) const { return i < text_.size() ? text_[i] : '\n'; }
  bool at_line_end(std::size_t i) const {
    return i >= text_.size() || text_[i] == '\n' || (text_[i] == '\r' && peek(i + 1) == '\n');
  }
  bool blank_after(std::size_t i) const { return at_line_end(i + 1) || is_space(peek(i + 1)); }
  std::size_t line_end(std::size_t i) const { return std::min(text_.find('\n', i), text_.size()); }
  void next_line() { at_ = std::min(line_end(at_) + 1, text_.size()); }
  std::string_view piece(std::size_t from, std::size_t to) const {
    std::string_view text = std::string_view(text_).substr(from, to - from);
    while (!text.empty() && (is_space(text.back()) || text.back() == '\r')) text.remove_suffix(1);
    return text;
  }
  void minor(std::size_t at, std::string message, std::string fix = {}) {
    diagnostics_.error(diagnostics_.sources().place_at(source_, at), std::move(message), std::move(fix));
  }
  void fatal(std::size_t at, std::string message, std::string fix = {}) {
    minor(at, std::move(message), std::move(fix));
    result_.readable = false;
  }

  void line();
  void block_line(std::size_t indent);
  void content();
  void flow_character();
  void quoted(char quote);
  void after_value(std::string_view what);
  void open_bracket();
  void close_bracket();
  void end_entry();
  void unclosed();
  void abandon_brackets();
  bool forbidden_start();
  void plain_in_block();
  void plain_in_flow();
  void formula_in_flow(std::size_t start, std::size_t stop);
  void end_key(std::size_t start, std::size_t colon);
  void skip_block_scalar();
  bool check_level(std::size_t indent);
  bool too_deep();

  const std::string& text_;
  const std::size_t source_;
  Diagnostics& diagnostics_;
  ScannedText result_;
  std::size_t at_ = 0;
  std::size_t line_start_ = 0;
  bool stop_ = false;
  bool document_started_ = false;
  std::vector<Bracket> brackets_;
  std::size_t flow_indent_ = 0;  // a line at this indent or less cannot belong to the open brackets
  std::optional<std::size_t> skip_deeper_;  // lines deeper than this belong to something abandoned
  std::vector<std::size_t> levels_;         // columns of the open block mappings and sequences
  bool value_pending_ = false;              // the last line ended with `key:` or `-`
  bool plain_open_ = false;  // the last line ended in plain text, which a deeper line continues
  bool key_read_ = false;    // on this line, in block style
};

}  // namespace graphrun::scanning
