#include "cli/output/colour.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>

namespace graphrun::cli {

namespace {

constexpr std::string_view plain = "\033[0m";
constexpr std::string_view bold = "\033[1m";
constexpr std::string_view green = "\033[1;32m";

struct Mark {
  std::string_view word;
  std::string_view colour;
};
constexpr std::array<Mark, 3> marks = {
    {{"error:", "\033[1;31m"}, {"warning:", "\033[1;33m"}, {"note:", "\033[1;36m"}}};

/// "   |   ^~~~": what points into the line above.
bool points(std::string_view line) {
  return line.find('^') != std::string_view::npos && line.find_first_not_of(" |^~") == std::string_view::npos;
}

/// Where the mark's word begins a message: the line, or what follows a place.
std::size_t position(std::string_view line, std::string_view word) {
  if (line.starts_with(word)) return 0;
  const std::size_t at = line.find(std::string(": ") + std::string(word));
  return at == std::string_view::npos ? at : at + 2;
}

std::string coloured_line(std::string_view line) {
  const auto in = [](std::string_view colour, std::string_view text) {
    return text.empty() ? std::string() : std::string(colour) + std::string(text) + std::string(plain);
  };
  if (points(line)) return in(green, line);
  for (const Mark& mark : marks)
    if (const std::size_t at = position(line, mark.word); at != std::string_view::npos)
      return in(bold, line.substr(0, at)) + in(mark.colour, mark.word) +
             std::string(line.substr(at + mark.word.size()));
  return std::string(line);
}

}  // namespace

bool wants_colour() noexcept {
  const char* refusal = std::getenv("NO_COLOR");
  if (refusal != nullptr && *refusal != '\0') return false;
  const char* terminal = std::getenv("TERM");
  if (terminal == nullptr || std::string_view(terminal) == "dumb") return false;
  return isatty(STDERR_FILENO) == 1;
}

std::string coloured(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    result += coloured_line(text.substr(0, end));
    if (end == std::string_view::npos) break;
    result += '\n';
    text.remove_prefix(end + 1);
  }
  return result;
}

std::string for_terminal(std::string text) {
  return wants_colour() ? coloured(text) : text;
}

}  // namespace graphrun::cli
