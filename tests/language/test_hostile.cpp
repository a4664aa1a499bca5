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
#include "language/values/value.hpp"
#include "ops/op.hpp"
#include "ops/standard_blocks.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/folders.hpp"
#include "tests/support/temporary_folder.hpp"

namespace fs = std::filesystem;

namespace {

/// The first mistake with its line, or "fine".
std::string first_mistake(const std::string& text, const std::vector<std::string>& settings = {}) {
  try {
    graphrun::parse_model(text, "m.yaml", settings,
                          {&graphrun::ops::registry(), graphrun::ops::standard_blocks()});
    return "fine";
  } catch (const graphrun::ModelError& error) {
    const graphrun::Diagnostic& first = error.diagnostics().front();
    return std::to_string(first.where.line) + ": " + first.message;
  }
}

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

namespace {

const std::string head = "graphrun: 1\ninputs: {x: {shape: [batch, 8]}}\n";

std::string numbered(int count, const std::function<std::string(const std::string&)>& line) {
  std::string text;
  for (int i = 0; i < count; ++i) text += line(std::to_string(i));
  return text;
}

bool contains(const std::string& text, const std::string& piece) {
  return text.find(piece) != std::string::npos;
}

}  // namespace

TEST_CASE("a short text cannot ask for many elements of lists") {
  const std::string over = "over its budget of 1000000 elements";
  const std::string vars = first_mistake(
      head + "vars:\n" + numbered(40, [](auto i) { return "  a" + i + ": $(range(90000))\n"; }));
  CHECK(vars == "15: the model is over its budget of 1000000 elements of lists and constants");
  // One that stays the same from copy to copy is computed once.
  CHECK(first_mistake(
            head + "nodes:\n  y: {op: relu, in: '$(range(8)) + x * $(sum(range(80000)))', repeat: 90}\n") ==
        "fine");
  // Slices, joins and copies made again and again.
  CHECK(contains(
      first_mistake(head + "vars: {a: $(range(90000))}\nnodes:\n  y: {op: add, in: [x, '$(len(a[1:]))'], "
                           "repeat: 100}\n"),
      over));
  CHECK(contains(
      first_mistake(head + "vars: {a: $(range(40000))}\nnodes:\n  y: {op: add, in: [x, '$(len(a + a))'], "
                           "repeat: 100}\n"),
      over));
  CHECK(contains(
      first_mistake(head +
                    "vars: {a: $(range(90000))}\nnodes:\n  y: {op: add, in: [x, '$(len(reverse(a)))'], "
                    "repeat: 100}\n"),
      over));
  // The same list handed on ten thousand times is one list.
  CHECK(first_mistake(
            head + "vars: {a: $(range(90000))}\nnodes:\n  k: {op: b, in: x, a: $a, repeat: 9000}\nblocks:\n"
                   "  b: {in: [x], args: {a: required}, nodes: {y: {op: c, in: x, a: $a}}, out: y}\n"
                   "  c: {in: [x], args: {a: required}, nodes: {y: relu(x)}, out: y}\n") == "fine");
}

TEST_CASE("a short text cannot ask for long computing") {
  const std::string over = "over its budget of 5000000 steps";
  const std::string a = "vars: {a: $(range(90000))}\n";
  CHECK(contains(
      first_mistake(head + a + "nodes:\n  y: {op: add, in: [x, '$(sum(a) + max(a))'], repeat: 100}\n"),
      over));
  CHECK(contains(
      first_mistake(head + a + "nodes:\n  y: {op: add, in: [x, '$(1 if a == a else 2)'], repeat: 100}\n"),
      over));
  std::string sum = "1";
  for (int i = 0; i < 90; ++i) sum += "+1";
  CHECK(contains(first_mistake(head + "nodes:\n  y: {op: add, in: [x, $(" + sum +
                               ")], repeat: 4000}\n"
                               "  z: {op: add, in: [x, \"$([" +
                               sum + "," + sum + "," + sum + "," + sum + "][0])\"], repeat: 20000}\n"),
                 over));
}

TEST_CASE("blocks that call blocks make no more nodes than the budget has") {
  const std::string tower = numbered(12, [](auto i) {
    return "  b" + i + ": {in: [a], nodes: {y: {op: b" + std::to_string(std::stoi(i) + 1) +
           ", in: a, repeat: 9}}, out: y}\n";
  });
  for (const char* const last : {"relu(a)", "a", "a + 1"}) {
    const std::string found = first_mistake(head + "nodes:\n  k: {op: b0, in: x}\nblocks:\n" + tower +
                                            "  b12: {in: [a], nodes: {y: " + last + "}, out: y}\n");
    INFO(found);
    CHECK(contains(found, "budget of "));
  }
  const std::string doubled = numbered(30, [](auto i) {
    const std::string next = std::to_string(std::stoi(i) + 1);
    return "  b" + i + ": {in: [a], nodes: {y: \"b" + next + "(b" + next + "(a))\"}, out: y}\n";
  });
  CHECK(contains(first_mistake(head + "nodes:\n  k: b0(x)\nblocks:\n" + doubled +
                               "  b30: {in: [a], nodes: {y: relu(a)}, out: y}\n"),
                 "nested too deeply"));
  CHECK(
      contains(first_mistake(head + "nodes:\n  k: {op: dense, in: x, units: 8, repeat: 30000}\n"), "budget"));
  CHECK(first_mistake(head + "nodes:\n  k: {op: dense, in: x, units: 8, repeat: 4000}\n") == "fine");
}

TEST_CASE("phases that each learn on a large graph are over the budget of nodes") {
  const auto model = [](int phases) {
    return head +
           "nodes:\n  h: {op: dense, in: x, units: 8, repeat: 3000}\nloss: {l: \"mean(h, axis=-1)\"}\n"
           "train:\n  optimizer: {op: sgd, lr: 0.1}\n  batch: 2\n  phases:\n" +
           numbered(phases, [](auto i) { return "    - {name: p" + i + ", epochs: 1}\n"; });
  };
  CHECK(first_mistake(model(2)) == "fine");
  CHECK(contains(first_mistake(model(50)), "7: the model is over its budget of 100000 nodes"));
  const std::string draws =
      head +
      "nodes:\n  h: {op: dense, in: x, units: 8}\nloss: {l: \"mean(h, axis=-1)\"}\ntrain:\n"
      "  optimizer: {op: sgd, lr: 0.1}\n  phases:\n"
      "    - {name: p, epochs: 1, subset: {sample: 5}, draws: ";
  CHECK(first_mistake(draws + "100}\n") == "fine");
  CHECK(
      contains(first_mistake(draws + "900000000}\n"), "7: the model is over its budget of 1000000 elements"));
}

TEST_CASE("what is gone through for each call, pair by pair or again and again is bounded") {
  CHECK(contains(first_mistake(head + "nodes:\n  y: {op: param, shape: [" + repeated("1, ", 20000) + "8]}\n"),
                 "'shape' is the shape of at most 32 axes, not 20001"));
  CHECK(contains(first_mistake(head + "nodes:\n  y: {op: reshape, in: x, shape: [batch" +
                               repeated(", 1", 20000) + ", 8]}\n"),
                 "of at most 32 axes, not 20002"));
  CHECK(contains(first_mistake(head + "nodes:\n  y: {op: b, in: x, repeat: 20000}\nblocks:\n  b: {args: {" +
                               numbered(5000, [](auto i) { return "a" + i + ": 1, "; }) +
                               "z: 1}, in: [x], nodes: {y: relu(x)}, out: y}\n"),
                 "over its budget of 5000000 steps"));
  const std::string classes = numbered(50000, [](auto i) { return "c" + i + ", "; });
  CHECK(first_mistake(head + "data: {train: {images: a.npy}, classes: [" + classes +
                      "z]}\nnodes: {y: relu(x)}\n") == "fine");
  const std::string steps = numbered(4000, [](auto) { return std::string("{train: [y]}, "); });
  CHECK(contains(first_mistake(head +
                               "nodes:\n  y: {op: dense, in: x, units: 2}\nloss: {l: mean(y)}\n"
                               "train: {optimizer: {op: sgd}, epochs: 1, alternate: [" +
                               steps + "{train: [y]}]}\n"),
                 "over its budget of 100000 nodes"));
}

TEST_CASE("a long text is there once, however many values it is") {
  const graphrun::Value text{std::string(100000, 'q')};
  const graphrun::Value copy = text;
  CHECK(copy.text() == text.text());
  CHECK(sizeof(graphrun::Value) <= 24);  // of which the budget has a million
}

TEST_CASE("long names are not copied without end") {
  const std::string name(1000, 'p');  // a longer key is none in YAML
  const std::string over = "budget of 16777216 bytes of names";
  CHECK(contains(
      first_mistake(head + "nodes:\n  h: {op: dense, in: x, units: 8, params: " + name + ", repeat: 9000}\n"),
      over));
  CHECK(contains(first_mistake(head + "nodes:\n  " + name + ": {op: relu, in: x, repeat: 9000}\n"), over));
  // Notes of the blocks that a node came through.
  const std::string notes = numbered(20, [&](auto i) {
    return "  b" + i + name + ": {in: [a], nodes: {y: {op: b" + std::to_string(std::stoi(i) + 1) + name +
           ", in: a}}, out: y}\n";
  });
  CHECK(contains(
      first_mistake(head + "nodes:\n  k: {op: b0" + name + ", in: x, repeat: 1000}\nblocks:\n" + notes +
                    "  b20" + name + ": {in: [a], nodes: {y: relu(relu(relu(relu(a))))}, out: y}\n"),
      over));
}

TEST_CASE("many mistakes cost no more than a hundred") {
  const std::string names =
      numbered(20000, [](auto i) { return "  n" + i + ": {op: relu, in: is_not_there_" + i + "}\n"; });
  try {
    graphrun::parse_model(head + "nodes:\n" + names, "m.yaml", {},
                          {&graphrun::ops::registry(), graphrun::ops::standard_blocks()});
    FAIL("no mistake was found");
  } catch (const graphrun::ModelError& error) {
    REQUIRE(error.diagnostics().size() == 101);
    CHECK(error.diagnostics().back().message ==
          "the model is over its budget of 100 mistakes; reading stops here");
    CHECK(error.diagnostics().back().where.line == 104);
  }
  CHECK(contains(first_mistake(head + "nodes:\n" +
                               numbered(9000,
                                        [](auto i) {
                                          const std::string next = std::to_string((std::stoi(i) + 1) % 9000);
                                          return "  n" + i + ": n" + next + " + n0\n";
                                        })),
                 "need"));
}

TEST_CASE("values and blocks in each other share one stack") {
  // A chain of defaults, each the deepest leaf of a deep tree, in a block in a block.
  std::string deep;
  for (int i = 0; i < 30; ++i) deep += "[";
  std::string text = head + "nodes:\n  k: {op: b0, in: x}\nblocks:\n";
  for (int i = 0; i < 12; ++i)
    text += "  b" + std::to_string(i) + ": {in: [a], nodes: {y: {op: b" + std::to_string(i + 1) +
            ", in: a}}, out: y}\n";
  text += "  b12:\n    in: [a]\n    args:\n      v0: 1\n";
  for (int i = 1; i < 200; ++i)
    text += "      v" + std::to_string(i) + ": $(" + deep + "v" + std::to_string(i - 1) +
            std::string(30, ']') + ")\n";
  text += "    nodes: {y: \"a + $(len(v199))\"}\n    out: y\n";
  std::string result;
  on_small_stack([&] { result = first_mistake(text); });
  INFO(result);
  CHECK((contains(result, "deep") || contains(result, "nested")));
  // What models of the field need, and more.
  std::string fine = head + "nodes:\n  k: {op: b0, in: x}\nblocks:\n";
  for (int i = 0; i < 12; ++i)
    fine += "  b" + std::to_string(i) + ": {in: [a], args: {n: 3}, nodes: {y: {op: b" +
            std::to_string(i + 1) + ", in: a, n: $(n + 1)}}, out: y}\n";
  fine += "  b12: {in: [a], args: {n: 3}, nodes: {y: \"relu(tanh(a * (1 + (2 + (3 + $(n))))))\"}, out: y}\n";
  on_small_stack([&] { result = first_mistake(fine); });
  CHECK(result == "fine");
}

TEST_CASE("products of sizes are checked where the node is written") {
  const auto nodes = [](const std::string& lines) { return first_mistake(head + "nodes:\n" + lines); };
  CHECK(nodes("  a: {op: param, shape: [3037000500, 1]}\n  b: {op: param, shape: [1, 3037000500]}\n  c: "
              "max(a + b)\n") ==
        "6: the result, [3037000500, 3037000500], has more than 17179869184 elements");
  CHECK(contains(nodes("  a: {op: pad, in: x, after: [0, 9000000000000]}\n"), "4: "));
  CHECK(contains(nodes("  a: {op: one_hot, in: \"cast(x, dtype=i32)\", depth: 9000000000000}\n"), "4: "));
  CHECK(
      contains(nodes("  i: reshape(x, shape=[batch, 2, 4, 1])\n  a: {op: upsample, in: i, factor: 100000}\n"),
               "5: 2 pixels become 100000 times as many"));
  CHECK(contains(nodes("  a: {op: random_normal, shape: [batch, 100000, 1000000]}\n"), "4: "));
}

TEST_CASE("settings are bounded too") {
  const std::string model = head + "vars: {a: [1]}\n";
  CHECK(contains(first_mistake(model, {"a=[" + repeated("1,", 600000) + "1]"}),
                 "budget of 1048576 bytes of text"));
  CHECK(contains(first_mistake(model, {"a=" + std::string(100, '[')}), "nested more than 64 deep"));
  CHECK(contains(first_mistake(model, std::vector<std::string>(5000, "b=1")), "the model has no var 'b'"));
}

TEST_CASE("an included file is a model file, and a text includes none unsaid") {
  const graphrun::testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "secret.txt") << "TOKEN=xyz\n";
  std::ofstream(folder.path() / "blocks.yaml")
      << "# blocks\ngraphrun: 1\nblocks: {b: {in: [a], nodes: {y: relu(a)}, out: y}}\n";
  const graphrun::Language language{&graphrun::ops::registry(), graphrun::ops::standard_blocks()};
  const std::string name = (folder.path() / "m.yaml").string();
  const auto what = [&](const std::string& file, const graphrun::IncludeReader& reader) -> std::string {
    try {
      graphrun::parse_model(head + "include: [" + file + "]\nnodes: {h: b(x)}\n", name, {}, language, reader);
      return "fine";
    } catch (const graphrun::ModelError& error) {
      return error.what();
    }
  };
  CHECK(what("blocks.yaml", graphrun::read_model_text) == "fine");
  CHECK(contains(what("blocks.yaml", {}), "this model is a text, which may include no files"));
  const std::string secret = what("secret.txt", graphrun::read_model_text);
  CHECK(contains(secret, "secret.txt' is no model file"));
  CHECK_FALSE(contains(secret, "TOKEN"));
  const auto own = [](const std::string&, std::size_t) -> std::string {
    return "graphrun: 1\nblocks: {b: {in: [a], nodes: {y: relu(a)}, out: y}}\n";
  };
  CHECK(what("anything", own) == "fine");
  const auto refuses = [](const std::string& path, std::size_t) -> std::string {
    throw graphrun::Error(graphrun::ErrorCode::io, "not allowed", {path, 0, 0});
  };
  CHECK(contains(what("blocks.yaml", refuses), "not allowed"));
  int count = 0;
  const auto others = [&count](const std::string&, std::size_t) -> std::string {
    return "graphrun: 1\nblocks: {b" + std::to_string(++count) +
           ": {in: [a], nodes: {y: relu(a)}, out: y}}\n";
  };
  CHECK(contains(what(numbered(60000, [](auto i) { return "f" + i + ","; }), others),
                 "budget of 1048576 bytes of text"));
}
