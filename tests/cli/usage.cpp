// What the command line makes of its words, before anything runs.
#include <algorithm>
#include <filesystem>

#include "tests/cli/run_graphrun.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun::testing;

TEST_CASE("the help fits one screen") {
  const ProcessResult result = run_graphrun({"--help"});
  CHECK(result.exit_code == 0);
  CHECK(result.err.empty());
  CHECK(std::count(result.out.begin(), result.out.end(), '\n') <= 24);
  std::size_t start = 0;
  while (start < result.out.size()) {
    const std::size_t end = result.out.find('\n', start);
    CHECK(end - start <= 80);
    start = end + 1;
  }
  CHECK(run_graphrun({}).out == result.out);
  CHECK(run_graphrun({"help"}).out == result.out);
}

TEST_CASE("every command has its own help") {
  for (const std::string command :
       {"train", "eval",    "encode", "decode", "reconstruct", "generate",   "pictures",
        "check", "plan",    "bench",  "graph",  "config",      "ops",        "schema",
        "data",  "inspect", "export", "import", "init",        "completion", "manual"}) {
    INFO(command);
    const ProcessResult result = run_graphrun({command, "--help"});
    CHECK(result.exit_code == 0);
    CHECK(contains(result.out, "Usage: graphrun " + command));
    CHECK(contains(result.out, "Flags everywhere"));
  }
}

TEST_CASE("a misspelt command or flag is answered with the nearest one") {
  const ProcessResult command = run_graphrun({"trian"});
  CHECK(command.exit_code == 2);
  CHECK(command.out.empty());
  CHECK(contains(command.err, "there is no command 'trian', nor a file of that name; did you mean 'train'?"));

  const ProcessResult flag = run_graphrun({"ops", "--jsno"});
  CHECK(flag.exit_code == 2);
  CHECK(contains(flag.err, "graphrun ops has no flag '--jsno'; did you mean '--json'?"));

  const ProcessResult own_flag = run_graphrun({"train", "model.yaml", "--max-step=5"});
  CHECK(own_flag.exit_code == 2);
  CHECK(contains(own_flag.err, "graphrun train has no flag '--max-step'; did you mean '--max-steps'?"));

  const auto setting = [](const std::string& word) {
    return run_graphrun({"train", "model.yaml", word, "5"}).err;
  };
  CHECK(contains(setting("--epochs"), "no flag '--epochs'; it is a key of the model: --set train.epochs=…"));
  CHECK(contains(setting("--batch-size"), "it is a key of the model: --set train.batch=…"));
  CHECK(contains(setting("--learning-rate"), "it is a key of the model: --set train.optimizer.lr=…"));

  const ProcessResult op = run_graphrun({"ops", "tahn"});
  CHECK(op.exit_code == 2);
  CHECK(contains(op.err, "there is no op 'tahn'; did you mean 'tanh'?"));
}

TEST_CASE("words that make no sense are usage errors that say what to write") {
  const auto expect = [](const std::vector<std::string>& words, const std::string& message) {
    const ProcessResult result = run_graphrun(words);
    INFO(result.err);
    CHECK(result.exit_code == 2);
    CHECK(result.out.empty());
    CHECK(contains(result.err, "error: "));
    CHECK(contains(result.err, message));
  };
  expect({"ops", "tanh", "relu"}, "unexpected argument 'relu'");
  expect({"ops", "--set", "units"}, "write it as NAME=VALUE");
  expect({"ops", "--seed", "x"}, "--seed");
  expect({"check", "m.yaml", "--seed", "-1"},
         "--seed takes a whole number from 0 to 9223372036854775807, not '-1'");
  expect({"check", "m.yaml", "--seed", "1e3"}, "not '1e3'");
  expect({"check", "m.yaml", "--threads", "99999999999"},
         "--threads takes no number as large as 99999999999");
  expect({"check", "m.yaml", "--threads", "2", "--threads", "3"},
         "--threads is given 2 times; once is meant");
  expect({"bench", "m.yaml", "--seconds", "0.5"}, "--seconds takes a whole number, not '0.5'");
  expect({"ops", "--threads", "-3"}, "--threads -3 is out of range");
  expect({"ops", "-q", "-v"}, "exclude each other");
  expect({"check"}, "FILE is missing");
  expect({"--json"}, "a command or a model file is missing");
}

TEST_CASE("the version is that of the library") {
  const ProcessResult result = run_graphrun({"--version"});
  CHECK(result.exit_code == 0);
  CHECK(result.out == "graphrun 0.1.0\n");
}

TEST_CASE("a result that cannot be written is an error, not a silent success") {
  ProcessOptions options;
  options.stdout_path = "/dev/full";
  const ProcessResult result = run_graphrun({"ops"}, options);
  CHECK(result.exit_code == 4);
  CHECK(contains(result.err, "cannot write the result to standard output"));
}

TEST_CASE("a reader that has seen enough is no failure") {
  const ProcessResult result =
      run_process({"/bin/bash", "-c", "set -o pipefail; " + program_path() + " completion bash | head -1"});
  CHECK(result.exit_code == 0);
  CHECK(result.err.empty());
}

TEST_CASE("a folder that is called like a model file is a run directory") {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder / "run.yaml");
  const ProcessResult result = run_graphrun({"reconstruct", (folder / "run.yaml").string()});
  CHECK(result.exit_code == 4);
  CHECK(contains(result.err, "is no run directory"));
}
