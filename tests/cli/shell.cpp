// What the command offers to shells, manuals and editors, and the model that it gives a beginner.
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/cli/run_graphrun.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun::testing;

namespace {

namespace fs = std::filesystem;

ProcessOptions in(const TemporaryFolder& folder) {
  ProcessOptions options;
  options.folder = folder.path().string();
  return options;
}

/// What bash offers for the last of `words`, with a space between two offers.
std::string offered(const TemporaryFolder& folder, const std::string& words) {
  const std::string script = fmt::format(
      "source <({} completion bash); COMP_WORDS=({}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _graphrun; "
      "echo \"${{COMPREPLY[@]}}\"",
      program_path(), words);
  const ProcessResult result = run_process({"/bin/bash", "-c", script}, in(folder));
  CHECK(result.err.empty());
  return result.out;
}

}  // namespace

TEST_CASE("bash completes commands, flags and files") {
  TemporaryFolder folder;
  std::ofstream(folder.path() / "my model.yaml") << "graphrun: 1\n";
  CHECK(offered(folder, "graphrun tr") == "train\n");
  CHECK(offered(folder, "graphrun train --max") == "--max-steps\n");
  CHECK(offered(folder, "graphrun model.yaml --res") == "--resume\n");
  CHECK(offered(folder, "graphrun eval --be") == "--best\n");
  CHECK(offered(folder, "graphrun train --be") == "\n");
  CHECK(offered(folder, "graphrun check my") == "my model.yaml\n");
  CHECK(offered(folder, "graphrun bench --batch ''") == "\n");
}

TEST_CASE("every command and flag of the help is in each completion and in the manual") {
  const std::string bash = run_graphrun({"completion", "bash"}).out;
  const std::string zsh = run_graphrun({"completion", "zsh"}).out;
  const std::string fish = run_graphrun({"completion", "fish"}).out;
  const std::string manual = run_graphrun({"manual"}).out;
  for (const std::string command : {"train", "reconstruct", "check", "completion"}) {
    INFO(command);
    CHECK(contains(bash, "    " + command + ") flags="));
    CHECK(contains(zsh, "    '" + command + ":"));
    CHECK(contains(fish, "-a " + command + " -d"));
    CHECK(contains(manual, ".SS graphrun " + command));
  }
  CHECK(contains(
      zsh,
      "'*--resume[continue the run in DIR, or the newest run of the model, to the same bits]::DIR:_files'"));
  CHECK(contains(fish, "complete -c graphrun -n '__fish_seen_subcommand_from train' -l max-steps -x -d"));
  CHECK(contains(fish, "complete -c graphrun -s q -l quiet -d 'no log'"));
  CHECK(contains(manual, ".B \\-\\-resume [DIR]\n"));
  CHECK(contains(manual, ".SH EXIT STATUS"));
}

TEST_CASE("a shell that has no completion is told which have") {
  const ProcessResult result = run_graphrun({"completion", "tcsh"});
  CHECK(result.exit_code == 2);
  CHECK(contains(result.err, "there is no completion for the shell 'tcsh': bash, zsh or fish"));
}

TEST_CASE("the model that init writes is right, learns, and has its schema beside it") {
  TemporaryFolder folder;
  const ProcessOptions here = in(folder);
  const ProcessResult made = run_graphrun({"init", "models/2 first"}, here);
  INFO(made.err);
  REQUIRE(made.exit_code == 0);
  CHECK(contains(made.out, "check 'models/2 first.yaml'"));
  CHECK(fs::file_size(folder.path() / "models/graphrun.schema.json") > 10000);
  const ProcessResult checked = run_graphrun({"check", "models/2 first.yaml"}, here);
  CHECK(checked.exit_code == 0);
  CHECK(checked.out == "models/2 first.yaml: ok\n");

  const ProcessResult again = run_graphrun({"init", "models/2 first.yaml"}, here);
  CHECK(again.exit_code == 2);
  CHECK(contains(again.err, "models/2 first.yaml is there already: init writes a new file"));
}

TEST_CASE("a graph is also a picture, and data for programs") {
  const std::string model = in_source("/models/vae.yaml");
  const ProcessResult picture = run_graphrun({"graph", model, "--backward", "--svg"});
  CHECK(picture.exit_code == 0);
  CHECK(picture.out.starts_with("<svg xmlns="));
  CHECK(contains(picture.out, ">adam_update/enc.w</text>"));

  const std::string json = run_graphrun({"graph", model, "--json"}).out;
  CHECK(contains(
      json, R"("name": "enc", "op": "relu", "inputs": [4], "after": [], "attributes": {}, "dtype": "f32", )"
            R"("shape": ["batch", 400], "part": "forward")"));
  CHECK(contains(json, R"("outputs": [{"name": "outputs.code", "node": )"));
  CHECK(run_graphrun({"graph", model, "--dot", "--svg"}).exit_code == 2);

  const std::string op = run_graphrun({"ops", "leaky_relu", "--json"}).out;
  CHECK(contains(op, R"("arguments": [{"name": "slope", "doc": )"));
}

TEST_CASE("messages have colours on a terminal whose owner has not asked for none") {
  const auto on_terminal = [](const std::string& environment) {
    const std::string command = environment + " " + program_path() + " ops tahn";
    return run_process({"/usr/bin/script", "-qec", command, "/dev/null"}).out;
  };
  CHECK(contains(on_terminal("TERM=xterm NO_COLOR="), "\033[1;31merror:\033[0m there is no op"));
  for (const std::string environment : {"TERM=xterm NO_COLOR=1", "TERM=dumb NO_COLOR=", "TERM= NO_COLOR=1"})
    CHECK(contains(on_terminal(environment), "error: there is no op"));
  CHECK(run_graphrun({"ops", "tahn"}).err.starts_with("error: "));
}

TEST_CASE("the schema beside the bundled models is the program's, and every model names it to editors") {
  const fs::path schema = in_source("/models/graphrun.schema.json");
  const std::string made = run_graphrun({"schema"}).out;
  if (std::getenv("GRAPHRUN_WRITE_DOCS") != nullptr) std::ofstream(schema, std::ios::binary) << made;
  INFO("Write it anew: run this test with GRAPHRUN_WRITE_DOCS=1.");
  const auto text_of = [](const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  CHECK(text_of(schema) == made);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(in_source("/models"))) {
    if (entry.path().extension() != ".yaml") continue;
    INFO(entry.path().string());
    const std::string named = fs::relative(schema, entry.path().parent_path()).generic_string();
    CHECK(text_of(entry.path()).starts_with("# yaml-language-server: $schema=" + named + "\n"));
  }
}
