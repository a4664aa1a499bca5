#include "language/syntax/scan.hpp"

#include <fmt/format.h>

#include "language/syntax/scanner.hpp"

namespace graphrun {
namespace scanning {
namespace {

bool in_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

}  // namespace

void Scanner::line() {
  line_start_ = at_;
  std::size_t first = at_;
  while (peek(first) == ' ') ++first;
  if (peek(first) == '\t' && first < text_.size()) {
    std::size_t rest = first;
    while (is_space(peek(rest))) ++rest;
    if (!at_line_end(rest)) fatal(first, "a tab in the indentation", "Indent with spaces.");
    if (at_line_end(rest) || brackets_.empty()) return next_line();
    first = rest;
  }
  if (at_line_end(first) || text_[first] == '#') return next_line();
  const std::size_t indent = first - at_;
  const bool closes = text_[first] == '}' || text_[first] == ']';
  if (!brackets_.empty() && indent <= flow_indent_ && !closes) {
    unclosed();
    value_pending_ = false;
  }
  if (skip_deeper_ && (indent > *skip_deeper_ || closes)) return next_line();
  skip_deeper_.reset();
  at_ = first;
  if (brackets_.empty()) return block_line(indent);
  content();
}

void Scanner::block_line(std::size_t indent) {
  const std::string_view rest = piece(at_, line_end(at_));
  if (indent == 0 && (rest == "---" || rest.starts_with("--- ") || rest == "...")) {
    if (rest == "...") {
      fatal(at_, "a model does not mark its end", "Leave this line out.");
      stop_ = true;
    } else if (document_started_) {
      fatal(at_, "a second document starts here; a file holds one model", "Put it into a file of its own.");
      stop_ = true;
    }
    document_started_ = true;
    return next_line();
  }
  if (rest.starts_with('%')) {
    fatal(at_, "YAML directives are not used here", "Leave this line out.");
    return next_line();
  }
  document_started_ = true;
  const bool deeper = levels_.empty() || indent > levels_.back();
  if (!check_level(indent)) return next_line();
  key_read_ = false;
  value_pending_ = value_pending_ && deeper;  // this line is the value, or its first key
  content();
}

/// Every open bracket and level costs the YAML library some of the stack.
bool Scanner::too_deep() {
  if (brackets_.size() + levels_.size() <= deepest_nesting) return false;
  fatal(at_, fmt::format("nested more than {} deep", deepest_nesting), "No model needs that.");
  stop_ = true;
  return true;
}

/// Does the indentation fit the lines above? Keeps `levels_`.
bool Scanner::check_level(std::size_t indent) {
  if (levels_.empty()) {
    levels_.push_back(indent);
    return true;
  }
  if (indent > levels_.back()) {
    if (value_pending_) {
      levels_.push_back(indent);
      return !too_deep();
    }
    const std::size_t end = line_end(at_);
    const std::string_view rest = piece(at_, end);
    const bool has_key = rest.find(": ") != std::string_view::npos || rest.ends_with(':');
    if (plain_open_ && !has_key) return true;  // goes on with the text above
    fatal(at_, "this line is indented deeper than the line above, which already has its value",
          fmt::format("Indent it by {} spaces, or leave the value above empty.", levels_.back()));
    return false;
  }
  std::vector<std::size_t> levels = levels_;
  while (!levels.empty() && levels.back() > indent) levels.pop_back();
  if (levels.empty() || levels.back() != indent) {
    std::string known;
    for (const std::size_t level : levels_) known += fmt::format("{}{}", known.empty() ? "" : ", ", level);
    fatal(at_,
          fmt::format("this line is indented by {} spaces, which fits no line above ({})", indent, known),
          "Give keys of one mapping the same indentation.");
    return false;
  }
  levels_ = std::move(levels);
  return true;
}

/// Reads to the end of the line, or of the last line of what starts here.
void Scanner::content() {
  plain_open_ = false;
  while (!at_line_end(at_) && !stop_) {
    const char c = text_[at_];
    if (is_space(c)) {
      ++at_;
    } else if (c == '#' && (at_ == 0 || is_space(text_[at_ - 1]) || text_[at_ - 1] == '\n')) {
      break;
    } else if (c == '"' || c == '\'') {
      quoted(c);
    } else if (c == '[' || c == '{') {
      open_bracket();
    } else if (!brackets_.empty()) {
      flow_character();
    } else if (c == ']' || c == '}') {
      fatal(at_, fmt::format("'{}' closes nothing", c));
      break;
    } else if (c == '-' && blank_after(at_)) {
      if (key_read_) {
        fatal(at_, "a list cannot start after a key on the same line",
              "Write it in brackets, `[a, b]`, or start it on the next line.");
        break;
      }
      value_pending_ = true;
      std::size_t next = at_ + 1;
      while (is_space(peek(next))) ++next;
      if (!at_line_end(next)) levels_.push_back(next - line_start_);
      if (too_deep()) break;
      ++at_;
    } else if ((c == '|' || c == '>') && value_pending_) {
      skip_block_scalar();
      return;
    } else if (!forbidden_start()) {
      plain_in_block();
    } else {
      break;
    }
  }
  next_line();
}

/// `&`, `*`, `!`, `?`, `@`, `` ` ``, `%`, `|`, `>`, `,` at the start of a value or key. Reports, skips the
/// word.
bool Scanner::forbidden_start() {
  const char c = text_[at_];
  const std::size_t start = at_;
  const bool word_follows = !blank_after(at_);
  if (c == '&' && word_follows) {
    fatal(start, "anchors are not used here",
          "Name the value under `vars:` and write $name, or make a block.");
  } else if (c == '*' && word_follows) {
    fatal(start, "aliases are not used here",
          "Name the value under `vars:` and write $name, or make a block.");
  } else if (c == '!') {
    fatal(start, "tags are not used here", "Leave it out: the kind of a value follows from its key.");
  } else if (c == '?' && !word_follows) {
    fatal(start, "a key is written before a colon: `key: value`");
  } else if (std::string_view("@`%|>&*,").find(c) != std::string_view::npos) {
    fatal(start, fmt::format("a value cannot start with '{}'", c), "Put the text in quotes.");
  } else {
    return false;
  }
  while (!at_line_end(at_) && !is_space(text_[at_]) &&
         std::string_view(",]}").find(text_[at_]) == std::string_view::npos) {
    ++at_;
  }
  return true;
}

void Scanner::quoted(char quote) {
  const std::size_t start = at_++;
  while (!at_line_end(at_)) {
    if (text_[at_] == '\\' && quote == '"' && !at_line_end(at_ + 1)) {
      ++at_;
    } else if (text_[at_] == quote) {
      if (quote == '"' || peek(at_ + 1) != '\'') break;
      ++at_;
    }
    ++at_;
  }
  if (at_line_end(at_)) {
    fatal(start, "this quote is never closed",
          fmt::format("A quoted text ends on its own line, with {}.", quote));
    return abandon_brackets();
  }
  ++at_;
  after_value("the closing quote");
}

/// What follows a quoted text or a closed bracket.
void Scanner::after_value(std::string_view what) {
  std::size_t next = at_;
  while (is_space(peek(next))) ++next;
  const bool comment = peek(next) == '#' && next > at_;
  if (!brackets_.empty()) {
    Bracket& bracket = brackets_.back();
    bracket.has_value = true;
    const bool ends = std::string_view(",]}:").find(peek(next)) != std::string_view::npos;
    if (at_line_end(next) || comment || ends) return;
    fatal(next, fmt::format("a ',' is missing after {}", what));
    at_ = line_end(next);
    return abandon_brackets();
  }
  value_pending_ = false;
  if (at_line_end(next) || comment) return;
  if (peek(next) == ':' && blank_after(next) && !key_read_ && what == "the closing quote") {
    key_read_ = true;
    value_pending_ = true;
    at_ = next + 1;
    return;
  }
  if (peek(next) == ']' || peek(next) == '}') {
    fatal(next, fmt::format("'{}' closes nothing", peek(next)));
  } else {
    fatal(next, fmt::format("unexpected text after {}", what),
          "Quote the whole text, or leave the quotes out.");
  }
  at_ = line_end(next);
}

void Scanner::end_key(std::size_t start, std::size_t colon) {
  const std::string_view key = piece(start, colon);
  if (key == "<<") {
    fatal(start, "merge keys are not used here",
          "Make a block of what is shared, or name values under `vars:`.");
  }
  const std::size_t bracket = key.find_first_of("{[");
  if (bracket != std::string_view::npos) {
    const std::string word(piece(start, start + bracket));
    fatal(start + bracket, fmt::format("a ':' is missing after '{}'", word),
          fmt::format("Write `{}: …`.", word));
    at_ = line_end(colon);
  }
}

/// Plain text outside brackets: a key, or a value to the end of the line.
void Scanner::plain_in_block() {
  const std::size_t start = at_;
  std::size_t end = start;
  while (!at_line_end(end)) {
    if (text_[end] == '#' && end > start && is_space(text_[end - 1])) break;
    if (text_[end] == ':' && blank_after(end)) break;
    ++end;
  }
  at_ = end;
  if (peek(end) == ':' && !at_line_end(end)) {
    ++at_;
    if (key_read_) {
      fatal(end, "a second ': ' on one line", "Quote the value if the colon belongs to it.");
      at_ = line_end(end);
      return;
    }
    end_key(start, end);
    key_read_ = true;
    value_pending_ = true;
    return;
  }
  const bool continues =
      !key_read_ && !value_pending_ && !levels_.empty() && start - line_start_ > levels_.back();
  const std::string text(piece(start, end));
  const std::size_t colon = text.find(':');
  const bool alone = text_.find_first_not_of(' ', line_start_) == start;
  const bool glued = alone && value_pending_ && colon != std::string::npos &&
                     std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), in_word);
  if (!key_read_ && ((!value_pending_ && !continues) || glued)) {
    if (colon != std::string::npos) {
      fatal(start, fmt::format("'{}' is no `key: value`", text),
            fmt::format("Write a space after the colon: `{}: {}`.", text.substr(0, colon),
                        text.substr(colon + 1)));
    } else {
      fatal(start, fmt::format("'{}' is no `key: value`", text), "A ':' is missing.");
    }
  }
  value_pending_ = false;
  plain_open_ = true;
}

/// `|` or `>`: the deeper lines that follow are text.
void Scanner::skip_block_scalar() {
  std::size_t next = at_ + 1;
  while (std::string_view("+-123456789").find(peek(next)) != std::string_view::npos) ++next;
  if (!blank_after(next - 1) || next > at_ + 3) {
    fatal(at_, fmt::format("text follows the '{}' on its line", text_[at_]),
          "Start the text on the next line.");
    return next_line();
  }
  next_line();
  while (at_ < text_.size()) {
    std::size_t first = at_;
    while (peek(first) == ' ') ++first;
    if (!at_line_end(first) && first - at_ <= levels_.back()) break;
    next_line();
  }
  value_pending_ = false;
}

}  // namespace scanning

ScannedText scan_yaml(const std::string& text, std::size_t source, Diagnostics& diagnostics) {
  return scanning::Scanner(text, source, diagnostics).run();
}

}  // namespace graphrun
