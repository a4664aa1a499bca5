// Random texts through the scanner and the YAML library behind it: what the one lets pass, the other must end
// on, and what is read must print to a text that reads back to the same. More texts, or others:
// GRAPHRUN_FUZZ_COUNT=1000000 GRAPHRUN_FUZZ_SEED=7.
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "language/syntax/document.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;

namespace {

std::uint64_t setting(const char* name, std::uint64_t fallback) {
  const char* const written = std::getenv(name);
  return written == nullptr ? fallback : std::strtoull(written, nullptr, 10);
}

constexpr unsigned longest_seconds = 20;
char running[512];  // the text that is read, for the signal

void say_what_hangs(int) {
  for (const char* text :
       {"the reading of this text does not end:\n", static_cast<const char*>(running), "\n"}) {
    if (write(STDERR_FILENO, text, std::string_view(text).size()) < 0) break;
  }
  std::abort();
}

const std::vector<std::string>& pieces() {
  static const std::vector<std::string> all = {
      "a",   "b: ",  "c:",    ": ",   ":",      "- ",   "-",      ",",   ", ",   "[",  "]",  "{",
      "}",   "(",    ")",     "\n",   "\n ",    "\n  ", "\n- ",   " ",   "'",    "\"", "#",  " # ",
      "|",   ">",    "|-\n",  "&a ",  "*a",     "!t ",  "? ",     "%",   "@",    "~",  "$x", "null",
      "1.5", "\\n",  "\\x07", "\t",   "\r",     "\r\n", "---",    "...", "<<: ", "é",  "\\", "=",
      "''",  "\"\"", "a: [",  "a: {", "k: v\n", "x: ",  "\n    ", "]]",  "[0]",  "+"};
  return all;
}

std::string random_text(std::mt19937_64& random) {
  std::string text;
  const std::size_t count = 1 + random() % 24;
  for (std::size_t i = 0; i < count; ++i) text += pieces()[random() % pieces().size()];
  return text;
}

bool same_tree(const YamlNode& a, const YamlNode& b) {
  if (a.kind != b.kind || a.text != b.text || a.items.size() != b.items.size() ||
      a.entries.size() != b.entries.size())
    return false;
  for (std::size_t i = 0; i < a.items.size(); ++i)
    if (!same_tree(a.items[i], b.items[i])) return false;
  for (std::size_t i = 0; i < a.entries.size(); ++i)
    if (a.entries[i].key != b.entries[i].key || !same_tree(a.entries[i].value, b.entries[i].value))
      return false;
  return true;
}

struct Reading {
  YamlNode root;
  std::string mistakes;
};

Reading read(const std::string& text) {
  Sources sources;
  const std::size_t source = sources.add("m.yaml", text);
  Diagnostics diagnostics(sources);
  Reading reading;
  reading.root = parse_yaml(source, diagnostics);
  try {
    diagnostics.throw_if_any();
  } catch (const ModelError& error) {
    reading.mistakes = error.what();
  }
  return reading;
}

}  // namespace

TEST_CASE("a text that the scanner lets pass is read to its end, and prints to the same") {
  const std::uint64_t seed = setting("GRAPHRUN_FUZZ_SEED", 20261);
  const std::uint64_t count = setting("GRAPHRUN_FUZZ_COUNT", 20'000);
  INFO("GRAPHRUN_FUZZ_SEED=" << seed);
  std::mt19937_64 random(seed);
  const auto before = std::signal(SIGALRM, say_what_hangs);
  std::size_t understood = 0;
  std::size_t refused_late = 0;  // by the library, whose messages help less
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string text = random_text(random);
    text.copy(running, sizeof running - 1);
    running[std::min(text.size(), sizeof running - 1)] = '\0';
    alarm(longest_seconds);
    const Reading reading = read(text);
    INFO(text);
    if (!reading.mistakes.empty()) {
      const std::size_t late = reading.mistakes.find("not readable as YAML");
      if (late != std::string::npos) ++refused_late;
      continue;
    }
    if (!reading.root.is_mapping()) continue;
    ++understood;
    const std::string printed = print_yaml(reading.root);
    INFO(printed);
    const Reading again = read(printed);
    CHECK(again.mistakes == "");
    CHECK(same_tree(reading.root, again.root));
  }
  alarm(0);
  std::signal(SIGALRM, before);
  CHECK(understood > count / 1000);
  CHECK(refused_late < 1 + count / 200);
}
