// Whatever the text, the answer is a model or its mistakes: no other exception, no crash, no long wait.
#include <pthread.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "language/build.hpp"
#include "language/expand/expander.hpp"
#include "ops/op.hpp"
#include "ops/standard_blocks.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/folders.hpp"

namespace fs = std::filesystem;

namespace {

/// "fine", "wrong", or what else came.
std::string outcome(const std::string& text) {
  try {
    graphrun::parse_model(text, "m.yaml", {}, {&graphrun::ops::registry(), graphrun::ops::standard_blocks()});
    return "fine";
  } catch (const graphrun::ModelError&) {
    return "wrong";
  } catch (const std::exception& error) {
    return error.what();
  }
}

std::vector<std::string> texts() {
  std::vector<std::string> result;
  for (const char* const folder : {"/models", "/tests/language/wrong"}) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(graphrun::testing::in_source(folder))) {
      if (entry.path().extension() == ".yaml") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
      std::ostringstream text;
      text << std::ifstream(file, std::ios::binary).rdbuf();
      result.push_back(text.str());
    }
  }
  return result;
}

std::string mutated(std::string text, const std::string& other, std::mt19937& random) {
  static const std::vector<std::string> pieces = {
      "{",  "}",     "[", "]",  ":",  ": ", ",",  "\n", "  ",  "\t",    "\"",   "'",   "$",
      "$(", ")",     "(", "- ", "#",  "&a", "*a", "!",  "---", "batch", "x",    "enc", "repeat:",
      "-1", "1e999", "|", ">",  "**", "@",  ".0", "<<", "op",  "null",  "\xFF", "0"};
  const auto below = [&random](std::size_t n) { return n == 0 ? 0 : random() % n; };
  for (std::size_t i = 0; i <= below(4); ++i) {
    const std::size_t at = below(text.size() + 1);
    switch (below(4)) {
      case 0:
        text.insert(at, pieces[below(pieces.size())]);
        break;
      case 1:
        text.erase(at, 1 + below(8));
        break;
      case 2:
        text.insert(at, other.substr(below(other.size()), below(60)));
        break;
      default:
        if (at < text.size()) text[at] = static_cast<char>(random() % 128);
    }
  }
  return text;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t small_stack = std::size_t{4} << 20U;  // a sanitizer's frames are many times larger
#else
constexpr std::size_t small_stack = std::size_t{256} << 10U;
#endif

/// Runs in a thread of little stack, as an embedding host may have.
void on_small_stack(std::function<void()> work) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, small_stack);
  pthread_t thread{};
  const auto run = [](void* given) -> void* {
    (*static_cast<std::function<void()>*>(given))();
    return nullptr;
  };
  REQUIRE(pthread_create(&thread, &attributes, run, &work) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

std::string repeated(const std::string& piece, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += piece;
  return text;
}

}  // namespace

TEST_CASE("mutated models are read or refused") {
  const std::vector<std::string> zoo = texts();
  REQUIRE(zoo.size() > 200);
  const unsigned seed = 20240611;
  std::mt19937 random(seed);
  for (int i = 0; i < 1500; ++i) {
    const std::string text = mutated(zoo[random() % zoo.size()], zoo[random() % zoo.size()], random);
    const std::string result = outcome(text);
    if (result == "fine" || result == "wrong") continue;
    INFO("seed " << seed << ", text " << i << ":\n" << text);
    CHECK(result == "fine or wrong");
  }
}

TEST_CASE("every piece of a model that is cut off is read or refused") {
  for (const std::string& text : texts()) {
    if (text.find("graphrun: 1\nname: vae") == std::string::npos) continue;
    for (std::size_t size = 0; size < text.size(); size += 3) {
      const std::string result = outcome(text.substr(0, size));
      INFO(size);
      CHECK((result == "fine" || result == "wrong"));
    }
  }
}

TEST_CASE("bombs are refused on a small stack too") {
  const std::string head = "graphrun: 1\ninputs: {x: {shape: [batch, 8]}}\n";
  std::string chain = "vars:\n  v0: 1\n";
  std::string doubling = "vars:\n  v0: [1]\n";
  std::string nested = "vars:\n  v0: [1]\n";
  std::string tower = "nodes:\n  k: {op: b0, in: x}\nblocks:\n";
  std::string spread = "nodes:\n  k: {op: b0, in: x}\nblocks:\n";
  for (int i = 1; i < 200; ++i) {
    const std::string n = std::to_string(i);
    const std::string p = std::to_string(i - 1);
    chain += "  v" + n + ": $(v" + p + " + 1)\n";
    doubling += "  v" + n + ": $(v" + p + " + v" + p + ")\n";
    nested += "  v" + n + ": [$v" + p + ", $v" + p + "]\n";
    tower += "  b" + p + ": {in: [a], nodes: {y: {op: b" + n + ", in: a}}, out: y}\n";
    spread += "  b" + p + ": {in: [a], nodes: {y: {op: b" + n + ", in: a, repeat: 9}}, out: y}\n";
  }
  tower += "  b199: {in: [a], nodes: {y: relu(a)}, out: y}\n";
  spread += "  b199: {in: [a], nodes: {y: relu(a)}, out: y}\n";
  std::string backwards = "vars:\n";
  for (int i = 1; i < 15000; ++i)
    backwards += "  v" + std::to_string(i) + ": $v" + std::to_string(i + 1) + "\n";
  std::string few = "nodes:\n  k: {op: b0, in: x}\nblocks:\n";
  for (int i = 1; i < 12; ++i) {
    few += "  b" + std::to_string(i - 1) + ": {in: [a], nodes: {y: {op: b" + std::to_string(i) +
           ", in: a, repeat: 9}}, out: y}\n";
  }
  few += "  b11: {in: [a], nodes: {y: relu(a)}, out: y}\n";
  const std::vector<std::string> bombs = {
      "vars: {a: " + repeated("[", 500000),
      "vars:\n" + repeated("- ", 100000),
      "nodes: {y: " + repeated("(", 100000),
      "nodes: {y: " + repeated("-", 100000) + "x}",
      "nodes: {y: x" + repeated("+x", 100000) + "}",
      "nodes: {y: x" + repeated("**x", 100000) + "}",
      "nodes: {y: " + repeated("relu(", 1000) + "x" + repeated(")", 1000) + "}",
      "nodes: {y: x" + repeated(".a", 100000) + "}",
      "vars:\n  a: $(" + repeated("[", 1000) + repeated("]", 1000) + ")\n",
      "vars:\n  a: $(" + repeated("not ", 100000) + "true)\n",
      "vars:\n  a: $(1" + repeated("[0]", 100000) + ")\n",
      "vars:\n  a: $(" + repeated("1 if true else ", 10000) + "1)\n",
      doubling,
      nested,
      tower,
      spread,
      few,
      backwards,
      "nodes: {y: {op: relu, in: x, repeat: 9999999999}}",
      "nodes: {y: {op: dense, in: x, repeat: 9000, units: 8}}\noutputs: {z: y}\nvars: [" +
          repeated("1,", 1000) + "]",
      "nodes: {y: {op: param, shape: [9000000000000000000, 9000000000000000000]}}"};
  for (std::size_t i = 0; i < bombs.size(); ++i) {
    std::string result;
    on_small_stack([&] { result = outcome(head + bombs[i]); });
    INFO(i << ": " << bombs[i].substr(0, 60));
    CHECK(result == "wrong");
  }
  std::string result;
  on_small_stack([&] { result = outcome(head + chain); });
  CHECK(result == "fine");
  on_small_stack([&] { result = outcome(head + "nodes: {y: x" + repeated(" + x", 90) + "}\n"); });
  CHECK(result == "fine");
  on_small_stack([&] {
    result = outcome(head + "nodes: {y: " + repeated("relu(", 18) + "x" + repeated(")", 18) + "}\n");
  });
  CHECK(result == "fine");
}
