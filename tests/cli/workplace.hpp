/// \file
/// A folder with the small model in it, where the program is run.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/cli/run_graphrun.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_model.hpp"

namespace graphrun::testing {

class Workplace {
 public:
  explicit Workplace(const std::string& train = "epochs: 2, seed: 1") {
    write("small.yaml", small_model(train));
  }

  std::string folder() const { return folder_.path(); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  ProcessResult run(const std::vector<std::string>& words, ProcessOptions options = {}) const {
    options.folder = folder_.path();
    return run_graphrun(words, options);
  }
  nlohmann::json run_json(std::vector<std::string> words) const {
    words.emplace_back("--json");
    const ProcessResult result = run(words);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return nlohmann::json::parse(result.out);
  }

 private:
  TemporaryFolder folder_;
};

using Keys = std::vector<std::string>;

inline Keys keys_of(const nlohmann::json& object) {
  Keys keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

inline std::vector<std::filesystem::path> checkpoints_in(const std::filesystem::path& run) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(run / "checkpoints"))
    files.push_back(entry.path());
  return files;
}

}  // namespace graphrun::testing
