// The strict reading of YAML: what is taken, what is refused and where the message points.
#include <string>
#include <vector>

#include "language/syntax/document.hpp"
#include "language/syntax/scan.hpp"
#include "tests/support/catch.hpp"

using graphrun::Diagnostics;
using graphrun::ModelError;
using graphrun::Sources;
using graphrun::YamlNode;

namespace {

/// "LINE:COLUMN: MESSAGE" of each mistake in the text; empty when there is none.
std::vector<std::string> mistakes(const std::string& text) {
  Sources sources;
  const std::size_t source = sources.add("m.yaml", text);
  Diagnostics diagnostics(sources);
  graphrun::parse_yaml(source, diagnostics);
  std::vector<std::string> result;
  try {
    diagnostics.throw_if_any();
  } catch (const ModelError& error) {
    for (const graphrun::Diagnostic& found : error.diagnostics()) {
      result.push_back(std::to_string(found.where.line) + ":" + std::to_string(found.where.column) + ": " +
                       found.message + (found.fix.empty() ? "" : " | " + found.fix));
    }
  }
  return result;
}

struct Case {
  std::string text;
  std::string expected;  // of the first mistake
};

YamlNode parse(const std::string& text) {
  Sources sources;
  const std::size_t source = sources.add("m.yaml", text);
  Diagnostics diagnostics(sources);
  YamlNode node = graphrun::parse_yaml(source, diagnostics);
  diagnostics.throw_if_any();
  return node;
}

}  // namespace

TEST_CASE("a document keeps the place of every key and value") {
  const YamlNode root = parse("a: 1\nb: {x: 'q', y: [1, two]}\n\nc:\n  - d: e\n    f:\n");
  REQUIRE(root.is_mapping());
  REQUIRE(root.entries.size() == 3);
  CHECK(root.entries[1].key == "b");
  CHECK(root.entries[1].place == graphrun::Place{0, 2, 1});
  const YamlNode& b = root.entries[1].value;
  CHECK(b.place == graphrun::Place{0, 2, 4});
  CHECK(b.find("x")->quoted);
  CHECK(b.find("x")->text == "q");
  CHECK(b.find("x")->place == graphrun::Place{0, 2, 8});
  CHECK_FALSE(b.find("y")->items.at(1).quoted);
  CHECK(b.find("y")->items.at(1).place == graphrun::Place{0, 2, 20});
  CHECK(root.find("c")->items.at(0).find("d")->text == "e");
  CHECK(root.find("c")->items.at(0).find("f")->is_empty());
  CHECK(b.find("z") == nullptr);
}

TEST_CASE("columns count bytes, and a byte order mark and CRLF are taken") {
  const YamlNode root = parse(
      "\xEF\xBB\xBF"
      "a: \"\xC3\xA9\"\r\nb: {c: d}\r\n");
  CHECK(root.find("a")->text == "\xC3\xA9");
  CHECK(root.find("b")->find("c")->text == "d");
  CHECK(root.find("b")->place == graphrun::Place{0, 2, 4});
}

TEST_CASE("each mistake in the text is found where it is") {
  const std::vector<Case> cases = {
      {"a: \"never closed\nb: 1\n",
       "1:4: this quote is never closed | A quoted text ends on its own line, with \"."},
      {"a: 'never closed\nb: 1\n",
       "1:4: this quote is never closed | A quoted text ends on its own line, with '."},
      {"a: {b: 'x}\n", "1:8: this quote is never closed | A quoted text ends on its own line, with '."},
      {"a: {b: 1\nc: 2\n", "1:4: this '{' is never closed | Add the missing '}'."},
      {"n:\n  a: {b: [1, 2}\n  c: 2\n",
       "2:10: this '[' is never closed: '}' comes first, at 2:15 | Add the missing ']'."},
      {"n:\n  a: {b: {c: 1}\n  d: {e: 2}\n", "2:6: this '{' is never closed | Add the missing '}'."},
      {"a: {b: 1", "1:4: this '{' is never closed | Add the missing '}'."},
      {"a: [1, 2]]\n", "1:10: ']' closes nothing"},
      {"a: }\n", "1:4: '}' closes nothing"},
      {"a: {x:1}\n",
       "1:5: 'x:1' is read as one key without a value | Write a space after the colon: `x: 1`."},
      {"a: {x}\n", "1:5: 'x' has no value | Every entry in { } is `key: value`."},
      {"x:1\ny: 2\n", "1:1: 'x:1' is no `key: value` | Write a space after the colon: `x: 1`."},
      {"y: 2\nx\n", "2:1: 'x' is no `key: value` | A ':' is missing."},
      {"y: 2\nx {b: 1}\n", "2:3: a ':' is missing after 'x' | Write `x: …`."},
      {"a: {op dense, in: x}\n", "1:5: 'op dense' has no value | Every entry in { } is `key: value`."},
      {"a: {op: dense in: x}\n", "1:15: a ',' is missing before 'in'"},
      {"a: {op: \"dense\" in: x}\n", "1:17: a ',' is missing after the closing quote"},
      {"a: {in: [x] op: y}\n", "1:13: a ',' is missing after the closing bracket"},
      {"a: {in [x]}\n", "1:8: a ':' or ',' is missing after 'in'"},
      {"a: [b: 1]\n", "1:5: an entry of a list cannot be `key: value` | Put it in braces: { }."},
      {"a: [, b]\n", "1:5: there is nothing before this comma"},
      {"a: {of: sum(x, axis=1), w: 1}\n",
       "1:9: YAML cuts this at its comma or bracket: it must be quoted here | Write \"sum(x, axis=1)\"."},
      {"a: {in: [concat(x, y, axis=1), z]}\n",
       "1:10: YAML cuts this at its comma or bracket: it must be quoted here | Write \"concat(x, y, "
       "axis=1)\"."},
      {"a: {of: sum(x, axis=[0, 1])}\n",
       "1:9: YAML cuts this at its comma or bracket: it must be quoted here | Write \"sum(x, axis=[0, "
       "1])\"."},
      {"a: {units: $hidden[0]}\n",
       "1:12: YAML cuts this at its comma or bracket: it must be quoted here | Write \"$hidden[0]\"."},
      {"a: {of: sum(x, axis=1}\n",
       "1:9: a bracket of 'sum(x, axis=1' is never closed | Close it, and put the formula in quotes."},
      {"a: 1\n---\nb: 2\n",
       "2:1: a second document starts here; a file holds one model | Put it into a file of its own."},
      {"a: 1\n...\n", "2:1: a model does not mark its end | Leave this line out."},
      {"%YAML 1.2\n---\na: 1\n", "1:1: YAML directives are not used here | Leave this line out."},
      {"a: &x 1\n",
       "1:4: anchors are not used here | Name the value under `vars:` and write $name, or make a block."},
      {"a: *x\n",
       "1:4: aliases are not used here | Name the value under `vars:` and write $name, or make a block."},
      {"a: {b: *x}\n",
       "1:8: aliases are not used here | Name the value under `vars:` and write $name, or make a block."},
      {"a: !!int 3\n",
       "1:4: tags are not used here | Leave it out: the kind of a value follows from its key."},
      {"a: {<<: x}\n",
       "1:5: merge keys are not used here | Make a block of what is shared, or name values under `vars:`."},
      {"<<: x\n",
       "1:1: merge keys are not used here | Make a block of what is shared, or name values under `vars:`."},
      {"? a\n: b\n", "1:1: a key is written before a colon: `key: value`"},
      {"a: 1\nb: 2\na: 3\n",
       "3:1: the key 'a' stands here a second time; first in line 1 | Give it another name, or leave one "
       "out."},
      {"a: {b: 1, b: 2}\n",
       "1:11: the key 'b' stands here a second time; first in line 1 | Give it another name, or leave one "
       "out."},
      {"a: {\"\": 1}\n", "1:5: this entry has no key"},
      {"a: {: 1}\n", "1:5: this entry has no key"},
      {"a:\n\tb: 1\n", "2:1: a tab in the indentation | Indent with spaces."},
      {"a: 1\n  b: 2\n",
       "2:3: this line is indented deeper than the line above, which already has its value | Indent it by 0 "
       "spaces, or leave the value above empty."},
      {"a:\n    b: 1\n  c: 2\n",
       "3:3: this line is indented by 2 spaces, which fits no line above (0, 4) | Give keys of one mapping "
       "the same indentation."},
      {"a: b: c\n", "1:5: a second ': ' on one line | Quote the value if the colon belongs to it."},
      {"a: @x\n", "1:4: a value cannot start with '@' | Put the text in quotes."},
      {"a: `x`\n", "1:4: a value cannot start with '`' | Put the text in quotes."},
      {"a: \"x\" y\n",
       "1:8: unexpected text after the closing quote | Quote the whole text, or leave the quotes out."},
      {"a: {b: c} d\n",
       "1:11: unexpected text after the closing bracket | Quote the whole text, or leave the quotes out."},
      {"a: - x\n",
       "1:4: a list cannot start after a key on the same line | Write it in brackets, `[a, b]`, or start it "
       "on the next line."},
      {"a: \xFFz\n", "1:4: the byte 0xFF is not UTF-8 | Save the file as UTF-8."},
      {"a: \xC0\xAF\n", "1:4: the byte 0xC0 is not UTF-8 | Save the file as UTF-8."},
      {"a: \xED\xA0\x80\n", "1:4: the byte 0xED is not UTF-8 | Save the file as UTF-8."},
      {std::string("a: b\0c\n", 7), "1:5: the control character 0x00 has no place in a model"},
  };
  for (const Case& item : cases) {
    INFO(item.text);
    const std::vector<std::string> found = mistakes(item.text);
    REQUIRE_FALSE(found.empty());
    CHECK(found.front() == item.expected);
  }
}

TEST_CASE("independent mistakes are reported together") {
  const std::vector<std::string> found = mistakes("a: {x:1}\nb: {of: sum(x, axis=1)}\nc: 1\nc: 2\nd: {e}\n");
  REQUIRE(found.size() == 4);
  CHECK(found[0].starts_with("1:5:"));
  CHECK(found[1].starts_with("2:9:"));
  CHECK(found[2].starts_with("4:1:"));
  CHECK(found[3].starts_with("5:5:"));
}

TEST_CASE("valid texts of every style are read") {
  CHECK(mistakes("---\na: 1 # note\n# all\nb: 'it''s'\nc: it's\nd: \"a \\\" b\"\n").empty());
  CHECK(mistakes("vars: {\n  a: 1,\n  b: [1,\n    2],\n}\nc: 3\n").empty());
  CHECK(mistakes("a:\n- x\n- y: 1\n  z: 2\n- {q: 1}\nb: 1\n").empty());
  CHECK(mistakes("a:\n  of: (x + y)\n    - 2 * z\n  w: 1\n").empty());
  CHECK(mistakes("a: |\n  any: [text\n  'here\nb: >-\n  more\n").empty());
  CHECK(mistakes("a: {g: -on_g, h: -1.5, k: x - y}\nb: (norm - 1) ** 2\n").empty());
  CHECK(mistakes("a: sum(x, axis=1)\nb: $(reverse(sizes[:-1]))\n").empty());
  CHECK(mistakes("a: {\"b\": 1, 'c' : 2}\n\"d\": 3\n").empty());
  CHECK(parse("a: >-\n  one\n  two\n").find("a")->text == "one two");
  CHECK(parse("a: {of: $(7 * 7 * 32)}\n").find("a")->find("of")->text == "$(7 * 7 * 32)");
  CHECK(parse("").is_empty());
  CHECK(parse("# only a comment\n").is_empty());
}

TEST_CASE("bombs are refused before they cost anything") {
  CHECK(mistakes("a: " + std::string(1000000, '[')).front() ==
        "1:67: nested more than 64 deep | No model needs that.");
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  CHECK(mistakes(deep).front().find("nested more than 64 deep") != std::string::npos);
  std::string dashes;
  for (int i = 0; i < 5000; ++i) dashes += "- ";
  CHECK(mistakes(dashes + "a\n").front().find("nested more than 64 deep") != std::string::npos);
  const std::string large(graphrun::BudgetLimits{}.text + 1, ' ');
  CHECK(mistakes(large).front() ==
        "0:0: the model is over its budget of 1048576 bytes of text | A model file is short; data belongs in "
        "data "
        "files.");
}

TEST_CASE("a character of a text is found in the file, in every style") {
  Sources sources;
  const std::size_t source =
      sources.add("m.yaml", "a: x + y\nb: \"x + \\\"y\"\nc: 'x''y'\nd:\n  x +\n    yy\ne: >-\n  x\n  + y\n");
  Diagnostics diagnostics(sources);
  const YamlNode root = graphrun::parse_yaml(source, diagnostics);
  REQUIRE(diagnostics.empty());
  CHECK(graphrun::place_in(*root.find("a"), 4, sources) == graphrun::Place{0, 1, 8});
  REQUIRE(root.find("b")->text == "x + \"y");
  CHECK(graphrun::place_in(*root.find("b"), 5, sources) == graphrun::Place{0, 2, 11});
  CHECK(graphrun::place_in(*root.find("c"), 2, sources) == graphrun::Place{0, 3, 8});
  REQUIRE(root.find("d")->text == "x + yy");
  CHECK(graphrun::place_in(*root.find("d"), 4, sources) == graphrun::Place{0, 6, 5});
  REQUIRE(root.find("e")->text == "x + y");
  CHECK(graphrun::place_in(*root.find("e"), 4, sources) == graphrun::Place{0, 9, 5});
}

TEST_CASE("printed YAML reads back to the same tree") {
  const std::string text =
      "graphrun: 1\nabout: 'a: b, \"c\"'\nempty:\nvars: {a: \"1\", b: [1, -2, x y]}\n"
      "nodes:\n  z: sum(h ** 2, axis=1)\n  enc: {op: dense, in: x, units: $units}\n"
      "list:\n  - name: x\n    deep: {a: {b: {c: [[], {}]}}}\n  - 3\ntext: |\n  two\n  lines\n";
  const std::string printed = graphrun::print_yaml(parse(text));
  CHECK(graphrun::print_yaml(parse(printed)) == printed);
  const YamlNode again = parse(printed);
  CHECK(again.find("about")->text == "a: b, \"c\"");
  CHECK(again.find("text")->text == "two\nlines\n");
  CHECK(again.find("vars")->find("a")->quoted);
  CHECK_FALSE(again.find("vars")->find("b")->items[1].quoted);
  CHECK(again.find("nodes")->find("z")->text == "sum(h ** 2, axis=1)");
  CHECK(again.find("empty")->is_empty());
}
