#include "errors/printable.hpp"
#include "graphrun/error.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;

TEST_CASE("what moves a cursor or cuts a message is shown escaped", "[printable]") {
  CHECK(printable("plain text, größer → \t 日本") == "plain text, größer → \t 日本");
  CHECK(printable("\x1b[2J\a") == "\\x1B[2J\\x07");
  CHECK(printable(std::string("a\0b", 3)) == "a\\x00b");
  CHECK(printable("a\nb\r") == "a\\nb\\x0D");
  CHECK(printable("a\nb", LineBreaks::kept) == "a\nb");
  CHECK(printable("\u009b31m \u202e") == "\\u009B31m \\u202E");
  CHECK(printable("\xff\xc3") == "\\xFF\\xC3");
  CHECK(printable(printable("\x1b")) == "\\x1B");
}

TEST_CASE("no error shows raw what a file holds", "[printable]") {
  const std::string evil("\x1b[2J\0evil", 9);
  const Error error(ErrorCode::data, "a name '" + evil + "'", {"fi\x1ble", 3, 1}, evil);
  CHECK(std::string(error.what()) ==
        "fi\\x1Ble:3:1: error: node '\\x1B[2J\\x00evil': a name '\\x1B[2J\\x00evil'");
  CHECK(error.message() == "a name '\\x1B[2J\\x00evil'");

  Diagnostic diagnostic;
  diagnostic.where = {"m.yaml", 1, 4};
  diagnostic.node = evil;
  diagnostic.op = evil;
  diagnostic.message = "first\n" + evil;
  diagnostic.line = "a\x1b b";
  diagnostic.fix = evil;
  diagnostic.notes = {{{"m.yaml", 2, 1}, evil}};
  const ModelError model({diagnostic});
  const std::string expected =
      R"(m.yaml:1:4: error: node '\x1B[2J\x00evil' (\x1B[2J\x00evil): first\n\x1B[2J\x00evil
    a\x1B b
          ^
  m.yaml:2:1: note: \x1B[2J\x00evil
  fix: \x1B[2J\x00evil
)";
  CHECK(model.what() == expected);
  CHECK(model.diagnostics().front().message == R"(first\n\x1B[2J\x00evil)");
}

TEST_CASE("what nobody reads to its end loses its middle") {
  CHECK(graphrun::shortened(std::string(2000, 'a')) == std::string(2000, 'a'));
  const std::string cut = graphrun::shortened("begin" + std::string(100000, 'a') + "end");
  CHECK(cut.size() < 2000);
  CHECK(cut.starts_with("begin"));
  CHECK(cut.ends_with("end"));
  std::string umlauts;
  for (int i = 0; i < 3000; ++i) umlauts += "\u00fc";
  CHECK(graphrun::printable(graphrun::shortened(umlauts)) == graphrun::shortened(umlauts));
  CHECK(graphrun::shortened("x" + umlauts).find("\\x") == std::string::npos);
}
