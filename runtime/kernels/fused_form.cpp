#include "runtime/kernels/fused_form.hpp"

#include <algorithm>

#include "graphrun/error.hpp"

namespace graphrun::runtime {
namespace {

bool of_a_word(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

[[noreturn]] void refuse(std::string_view text) {
  throw Error(ErrorCode::internal, "this is no pattern of a fused form: " + std::string(text));
}

std::string_view take_word(std::string_view& rest) {
  const auto end = std::find_if_not(rest.begin(), rest.end(), of_a_word);
  const auto length = static_cast<std::size_t>(end - rest.begin());
  if (length == 0) refuse(rest);
  const std::string_view word = rest.substr(0, length);
  rest.remove_prefix(length);
  return word;
}

bool take(std::string_view& rest, std::string_view token) {
  if (!rest.starts_with(token)) return false;
  rest.remove_prefix(token.size());
  return true;
}

PatternTerm parse(std::string_view& rest, std::vector<std::string_view>& names) {
  const std::string_view word = take_word(rest);
  if (!take(rest, "(")) {
    const auto known = std::ranges::find(names, word);
    const auto name = static_cast<std::size_t>(known - names.begin());
    if (known == names.end()) names.push_back(word);
    return {{}, {}, name};
  }
  PatternTerm term{std::string(word), {}, 0};
  do {
    term.inputs.push_back(parse(rest, names));
  } while (take(rest, ", "));
  if (!take(rest, ")")) refuse(rest);
  return term;
}

}  // namespace

Pattern::Pattern(std::string_view text) {
  std::string_view rest = text;
  std::vector<std::string_view> names;
  root_ = parse(rest, names);
  names_ = names.size();
  if (!rest.empty() || root_.op.empty() || names_ > max_vector_inputs) refuse(text);
}

}  // namespace graphrun::runtime
