// Wrong models, one for each kind of mistake, in tests/language/wrong/SECTION. Their first lines say what is
// expected:
//
//     # expect LINE:COLUMN: MESSAGE | note LINE:COLUMN: NOTE | fix: FIX
//
// one line a mistake, in order, all of them and no others, with all notes and the fix that the message has. A
// place in another file has its name in front.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "language/build.hpp"
#include "language/recipe/optimizer_kind.hpp"
#include "ops/op.hpp"
#include "ops/standard_blocks.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/folders.hpp"

namespace fs = std::filesystem;

namespace {

const std::string folder = graphrun::testing::in_source("/tests/language/wrong/");

std::vector<std::string> expected_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::vector<std::string> lines;
  const std::string mark = "# expect ";
  for (std::string line; std::getline(stream, line) && line.starts_with(mark);)
    lines.push_back(line.substr(mark.size()));
  return lines;
}

std::string without(std::string text, const std::string& part) {
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part))
    text.erase(at, part.size());
  return text;
}

void replace(std::string& text, std::size_t at, std::size_t end, const char* by) {
  if (at != std::string::npos) text.replace(at, std::min(end, text.size()) - at, by);
}

/// With another op or optimizer, "lists all 85" and the list of optimizers are no other message.
std::string lasting(std::string fix) {
  const std::string counted = "lists all ";
  const std::size_t count = fix.find(counted);
  if (count != std::string::npos)
    replace(fix, count + counted.size(), fix.find_first_not_of("0123456789", count + counted.size()), "N");
  std::string optimizers;
  for (const graphrun::OptimizerKind& kind : graphrun::optimizer_kinds())
    optimizers += (optimizers.empty() ? "" : ", ") + std::string(kind.name);
  const std::size_t list = fix.find(optimizers);
  replace(fix, list, list + optimizers.size(), "OPTIMIZERS");
  return fix;
}

/// "LINE:COLUMN: ", with the name in front for a place in another file than the model.
std::string shown(const graphrun::SourceLocation& where, const fs::path& model) {
  std::string place;
  if (where.file != model.string()) place = fs::path(where.file).lexically_relative(model.parent_path());
  if (where.line > 0)
    place += (place.empty() ? "" : ":") + std::to_string(where.line) + ":" + std::to_string(where.column);
  return place.empty() ? place : place + ": ";
}

std::string shown(const graphrun::Diagnostic& diagnostic, const fs::path& model) {
  std::string text = shown(diagnostic.where, model);
  if (!diagnostic.node.empty()) text += "node '" + diagnostic.node + "'";
  if (!diagnostic.op.empty()) text += " (" + diagnostic.op + ")";
  text += (diagnostic.node.empty() ? "" : ": ") + diagnostic.message;
  for (const graphrun::Diagnostic::Note& note : diagnostic.notes)
    text += " | note " + shown(note.where, model) + note.text;
  return diagnostic.fix.empty() ? text : text + " | fix: " + lasting(diagnostic.fix);
}

std::vector<std::string> found_in(const fs::path& file) {
  std::vector<std::string> lines;
  try {
    graphrun::load_model(file.string(), {}, {&graphrun::ops::registry(), graphrun::ops::standard_blocks()});
  } catch (const graphrun::ModelError& error) {
    for (const graphrun::Diagnostic& diagnostic : error.diagnostics())
      lines.push_back(without(shown(diagnostic, file), file.parent_path().string() + "/"));
  }
  return lines;
}

/// Sends what is written to standard output and standard error into a file while it lives.
class OutputCapture {
 public:
  OutputCapture() : path_(fs::temp_directory_path() / ("graphrun_wrong_" + std::to_string(getpid()))) {
    // What the test program itself still holds back is not the library's.
    std::cout.flush();
    std::fflush(nullptr);
    const int file = open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    output_ = dup(STDOUT_FILENO);
    error_ = dup(STDERR_FILENO);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    close(file);
  }
  OutputCapture(const OutputCapture&) = delete;
  OutputCapture& operator=(const OutputCapture&) = delete;
  ~OutputCapture() {
    dup2(output_, STDOUT_FILENO);
    dup2(error_, STDERR_FILENO);
    close(output_);
    close(error_);
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  std::uintmax_t bytes() const { return fs::file_size(path_); }

 private:
  fs::path path_;
  int output_ = -1;
  int error_ = -1;
};

std::vector<fs::path> models() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const bool included = entry.path().parent_path().filename() == "parts";
    if (entry.path().extension() == ".yaml" && !included) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

TEST_CASE("each wrong model gives its messages at their places, and nothing is printed") {
  const std::vector<fs::path> files = models();
  CHECK(files.size() >= 200);
  std::vector<std::vector<std::string>> found;
  std::uintmax_t printed = 0;
  {
    const OutputCapture capture;
    for (const fs::path& file : files) found.push_back(found_in(file));
    std::fflush(nullptr);
    printed = capture.bytes();
  }
  CHECK(printed == 0);
  for (std::size_t i = 0; i < files.size(); ++i) {
    INFO(files[i].filename().string());
    CHECK_FALSE(found[i].empty());
    CHECK(found[i] == expected_of(files[i]));
  }
}

TEST_CASE("independent mistakes come together, and nothing follows from them") {
  for (const fs::path& file : models()) {
    INFO(file.filename().string());
    const std::string name = file.filename().string();
    const std::size_t count = name == "several.yaml" ? 8 : name == "params_shapes_differ.yaml" ? 2 : 1;
    CHECK(expected_of(file).size() == count);
  }
}

// test_language "[.write]" puts what is found where it is expected, for `git diff` to be read.
TEST_CASE("messages of wrong models are written into their files", "[.write]") {
  for (const fs::path& file : models()) {
    std::ifstream stream(file, std::ios::binary);
    std::string text;
    for (const std::string& line : found_in(file)) text += "# expect " + line + "\n";
    std::ostringstream whole;
    whole << stream.rdbuf();
    std::string rest = whole.str();
    while (rest.starts_with("# expect ")) rest.erase(0, rest.find('\n') + 1);
    std::ofstream(file, std::ios::binary) << text << rest;
  }
}
