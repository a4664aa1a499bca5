#include "graphrun/error.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;

TEST_CASE("an error says the place, the node and the message, as far as they are known") {
  CHECK(std::string(Error(ErrorCode::io, "it failed").what()) == "error: it failed");
  CHECK(std::string(Error(ErrorCode::io, "it failed", {"m.yaml", 3, 7}).what()) ==
        "m.yaml:3:7: error: it failed");
  CHECK(std::string(Error(ErrorCode::io, "it failed", {"m.yaml"}).what()) == "m.yaml: error: it failed");
  const Error error(ErrorCode::model, "it failed", {"m.yaml", 3, 7}, "enc.1");
  CHECK(std::string(error.what()) == "m.yaml:3:7: error: node 'enc.1': it failed");
  CHECK(error.message() == "it failed");
  CHECK(error.node() == "enc.1");
  CHECK(error.code() == ErrorCode::model);
}

TEST_CASE("a diagnostic shows the line with a caret, the blocks it came through and the fix") {
  Diagnostic diagnostic;
  diagnostic.where = {"models/x.yaml", 14, 9};
  diagnostic.node = "enc.1";
  diagnostic.op = "matmul";
  diagnostic.message = "inner sizes differ";
  diagnostic.line = "  enc: {op: dense}";
  diagnostic.notes = {{{"models/blocks.yaml", 3, 5}, "in block 'mlp'"}};
  diagnostic.fix = "Give w 784 rows.";
  CHECK(to_string(diagnostic) ==
        "models/x.yaml:14:9: error: node 'enc.1' (matmul): inner sizes differ\n"
        "      enc: {op: dense}\n"
        "            ^\n"
        "  models/blocks.yaml:3:5: note: in block 'mlp'\n"
        "  fix: Give w 784 rows.\n");
}

TEST_CASE("the caret stays under its character when the line has tabs or is shorter than said") {
  Diagnostic diagnostic;
  diagnostic.where = {"m.yaml", 1, 3};
  diagnostic.message = "wrong";
  diagnostic.line = "\tx: 1";
  CHECK(to_string(diagnostic) == "m.yaml:1:3: error: wrong\n    \tx: 1\n    \t ^\n");
  diagnostic.where.column = 99;
  CHECK(to_string(diagnostic) == "m.yaml:1:99: error: wrong\n    \tx: 1\n    \t    ^\n");
}

TEST_CASE("a model error holds all mistakes and answers for the first") {
  Diagnostic first;
  first.where = {"m.yaml", 2, 1};
  first.node = "a";
  first.message = "one";
  Diagnostic second;
  second.where = {"m.yaml", 5, 1};
  second.message = "two";
  const ModelError error({first, second});
  CHECK(error.code() == ErrorCode::model);
  CHECK(error.where().line == 2);
  CHECK(error.node() == "a");
  CHECK(error.message() == "one");
  CHECK(error.diagnostics().size() == 2);
  CHECK(std::string(error.what()) == "m.yaml:2:1: error: node 'a': one\nm.yaml:5:1: error: two\n");
}
