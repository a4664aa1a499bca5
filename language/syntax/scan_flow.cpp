#include <fmt/format.h>

#include "language/syntax/scanner.hpp"

namespace graphrun::scanning {
namespace {

bool ends_entry(char c) {
  return c == ',' || c == ']' || c == '}';
}

}  // namespace

void Scanner::flow_character() {
  const char c = text_[at_];
  if (c == ']' || c == '}') {
    close_bracket();
  } else if (c == ',') {
    end_entry();
    ++at_;
  } else if (c == ':' && (blank_after(at_) || brackets_.back().has_value || ends_entry(peek(at_ + 1)))) {
    brackets_.back().has_colon = true;
    brackets_.back().has_value = false;
    ++at_;
  } else if (!forbidden_start()) {
    plain_in_flow();
  }
}

void Scanner::open_bracket() {
  if (brackets_.empty()) {
    std::size_t first = line_start_;
    while (peek(first) == ' ') ++first;
    flow_indent_ = first - line_start_;
    if (first == at_ && flow_indent_ > 0) --flow_indent_;
  } else if (brackets_.back().has_value) {
    fatal(at_, "a ',' is missing before this bracket");
  }
  Bracket& bracket = brackets_.emplace_back();
  bracket.at = at_;
  bracket.open = text_[at_];
  too_deep();
  ++at_;
}

void Scanner::close_bracket() {
  const Bracket bracket = brackets_.back();
  const char expected = bracket.open == '[' ? ']' : '}';
  const char found = text_[at_];
  if (found != expected) {
    const Place place = diagnostics_.sources().place_at(source_, at_);
    fatal(bracket.at,
          fmt::format("this '{}' is never closed: '{}' comes first, at {}:{}", bracket.open, found,
                      place.line, place.column),
          fmt::format("Add the missing '{}'.", expected));
    brackets_.pop_back();  // as if it had been there
    if (brackets_.empty()) ++at_;
    return;
  }
  end_entry();
  brackets_.pop_back();
  ++at_;
  after_value("the closing bracket");
}

/// At a comma or a closing bracket: was the entry a whole one?
void Scanner::end_entry() {
  Bracket& bracket = brackets_.back();
  if (bracket.open == '{' && !bracket.has_colon && bracket.scalar) {
    const std::string text(piece(*bracket.scalar, bracket.scalar_end));
    const std::size_t colon = text.find(':');
    if (colon != std::string::npos) {
      minor(*bracket.scalar, fmt::format("'{}' is read as one key without a value", text),
            fmt::format("Write a space after the colon: `{}: {}`.", text.substr(0, colon),
                        text.substr(colon + 1)));
    } else {
      minor(*bracket.scalar, fmt::format("'{}' has no value", text), "Every entry in { } is `key: value`.");
    }
  } else if (bracket.open == '[' && !bracket.scalar && !bracket.has_value && text_[at_] == ',') {
    fatal(at_, "there is nothing before this comma");
  }
  bracket.has_colon = false;
  bracket.has_value = false;
  bracket.scalar.reset();
}

void Scanner::unclosed() {
  const Bracket& bracket = brackets_.back();
  fatal(bracket.at, fmt::format("this '{}' is never closed", bracket.open),
        fmt::format("Add the missing '{}'.", bracket.open == '[' ? ']' : '}'));
  brackets_.clear();
}

/// After a mistake inside brackets that leaves unknown where they end: goes on behind the deeper lines.
void Scanner::abandon_brackets() {
  if (brackets_.empty()) return;
  brackets_.clear();
  skip_deeper_ = flow_indent_;
}

/// Plain text inside brackets: ends at `,` or a bracket, or at a colon with a space behind it.
void Scanner::plain_in_flow() {
  Bracket& bracket = brackets_.back();
  const std::size_t start = at_;
  int parentheses = 0;
  std::size_t end = start;
  for (; !at_line_end(end); ++end) {
    const char c = text_[end];
    if (c == '#' && end > start && is_space(text_[end - 1])) break;
    if (c == ':' && (blank_after(end) || ends_entry(peek(end + 1)))) break;
    if (std::string_view(",[]{}").find(c) != std::string_view::npos) break;
    if (c == '(') ++parentheses;
    if (c == ')') --parentheses;
  }
  const char stop = peek(end);
  const bool attached = (stop == '[' || stop == '{') && !is_space(text_[end - 1]);
  if (bracket.has_value) {
    fatal(start, "a ',' is missing here");
  } else if ((parentheses > 0 && std::string_view(",[{").find(stop) != std::string_view::npos) || attached) {
    formula_in_flow(start, end);
    return;
  }
  if (stop == ':' && !at_line_end(end)) {
    if (bracket.has_colon) {
      const std::string text(piece(start, end));
      const std::size_t space = text.rfind(' ');
      const std::string word = space == std::string::npos ? text : text.substr(space + 1);
      fatal(start + (text.size() - word.size()), fmt::format("a ',' is missing before '{}'", word));
    } else if (bracket.open == '[') {
      fatal(start, "an entry of a list cannot be `key: value`", "Put it in braces: { }.");
    }
    end_key(start, end);
  } else if (stop == '[' || stop == '{') {
    fatal(end, fmt::format("a ':' or ',' is missing after '{}'", piece(start, end)));
    bracket.has_colon = true;
  }
  if (!bracket.scalar) bracket.scalar = start;
  bracket.scalar_end = end;
  at_ = end;
}

/// `{of: sum(x, axis=1)}`: YAML would cut the formula at the comma. Reports that and masks what would cut it.
void Scanner::formula_in_flow(std::size_t start, std::size_t stop) {
  std::string open;  // the closing characters still expected, innermost last
  std::size_t end = start;
  for (; !at_line_end(end); ++end) {
    const char c = text_[end];
    if (end >= stop && open.empty() && std::string_view(",]}").find(c) != std::string_view::npos) break;
    if (c == '(') open += ')';
    if (c == '[') open += ']';
    if (c == '{') open += '}';
    if (std::string_view(")]}").find(c) == std::string_view::npos) continue;
    if (open.empty() || open.back() != c) break;
    open.pop_back();
  }
  if (end < stop && open.empty()) {
    fatal(end, fmt::format("'{}' closes nothing", text_[end]), "Leave it out, or put the text in quotes.");
    at_ = line_end(end);
    return abandon_brackets();
  }
  const std::string text(piece(start, end));
  if (!open.empty()) {
    fatal(start, fmt::format("a bracket of '{}' is never closed", text),
          "Close it, and put the formula in quotes.");
    at_ = line_end(end);
    return abandon_brackets();
  }
  minor(start, "YAML cuts this at its comma or bracket: it must be quoted here",
        fmt::format("Write \"{}\".", text));
  const std::string_view cutting = masked_characters;
  for (std::size_t i = stop; i < end; ++i) {
    const std::size_t index = cutting.find(text_[i]);
    if (index != std::string_view::npos) result_.text[i] = masked(index);
  }
  Bracket& bracket = brackets_.back();
  if (!bracket.scalar) bracket.scalar = start;
  bracket.scalar_end = end;
  at_ = end;
}

}  // namespace graphrun::scanning
