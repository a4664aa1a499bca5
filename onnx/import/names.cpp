#include "onnx/import/names.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <string_view>
#include <vector>

#include "onnx/import/write_model.hpp"

namespace graphrun::onnx {

namespace {

constexpr std::size_t longest = 40;

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

/// "enc.1.c": words that begin with a letter, and numbers; the first is a word.
bool is_path(const std::string& path) {
  bool begins = true;
  bool is_number = false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const bool is_digit = std::isdigit(static_cast<unsigned char>(path[i])) != 0;
    const bool is_letter = std::isalpha(static_cast<unsigned char>(path[i])) != 0;
    if (begins && !is_letter && (!is_digit || i == 0)) return false;
    if (!begins && path[i] != '.' && !is_digit && (is_number || (!is_letter && path[i] != '_'))) return false;
    is_number = begins ? is_digit : is_number;
    begins = path[i] == '.';
  }
  return !begins || path.empty();
}

/// The endings that say nothing.
std::string without_ending(std::string name) {
  for (const std::string_view ending : {":0", "_output_0", "/Read/ReadVariableOp", "/ReadVariableOp"})
    if (name.size() > ending.size() && name.ends_with(ending)) name.resize(name.size() - ending.size());
  return name;
}

/// Long paths lose their beginning.
std::string last_parts(const std::string& name) {
  if (name.size() <= longest) return name;
  const std::size_t cut = name.find('/', name.size() - longest);
  return cut != std::string::npos && cut + 1 < name.size() ? name.substr(cut + 1)
                                                           : name.substr(name.size() - longest);
}

}  // namespace

std::string identifier(const std::string& name) {
  std::string word;
  for (const char c : last_parts(without_ending(name))) {
    if (is_word(c))
      word += c;
    else if (!word.empty() && word.back() != '_')
      word += '_';
  }
  while (!word.empty() && word.back() == '_') word.pop_back();
  if (word.empty()) return "value";
  if (std::isalpha(static_cast<unsigned char>(word.front())) == 0) word = "n" + word;
  static constexpr std::array<std::string_view, 11> reserved = {"batch", "true", "false", "null", "and", "or",
                                                                "not",   "if",   "else",  "inf",  "nan"};
  if (std::ranges::find(reserved, word) != reserved.end()) word += "_1";
  return word;
}

LayerName layer_name(const std::string& weight) {
  std::string path = without_ending(weight);
  LayerName name;
  if (path.size() > 2 && path.ends_with(".w")) name.path = path.substr(0, path.size() - 2);
  if (path.size() > 5 && path.ends_with(".gain")) name.path = path.substr(0, path.size() - 5);
  for (const std::string_view ending : {"weight", "kernel", "gamma", "gain", "scale", "w", "W"}) {
    if (path.size() <= ending.size() + 1 || !path.ends_with(ending)) continue;
    const char before = path[path.size() - ending.size() - 1];
    if (is_word(before)) continue;
    path.resize(path.size() - ending.size() - 1);
    break;
  }
  if (!is_path(name.path)) name.path.clear();
  std::size_t digits = path.size();
  while (digits > 0 && std::isdigit(static_cast<unsigned char>(path[digits - 1])) != 0) --digits;
  const bool has_number =
      digits < path.size() && digits > 1 && path.size() - digits < 7 && !is_word(path[digits - 1]);
  name.stem = identifier(has_number ? path.substr(0, digits - 1) : path);
  if (has_number) std::from_chars(path.data() + digits, path.data() + path.size(), name.number);
  return name;
}

}  // namespace graphrun::onnx
