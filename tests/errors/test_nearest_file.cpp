#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "errors/nearest_file.hpp"
#include "tests/support/catch.hpp"

namespace fs = std::filesystem;

TEST_CASE("what is near the path of a file that is not there") {
  const fs::path folder = fs::temp_directory_path() / ("graphrun_nearest_file_" + std::to_string(getpid()));
  fs::create_directories(folder / "data");
  for (const char* name : {"data/train.csv", "data/labels.npy", "data/.trains.csv"})
    std::ofstream(folder / name) << "x";
  using graphrun::hint_on_missing;
  CHECK(hint_on_missing(folder / "data/train.csv").empty());
  CHECK(hint_on_missing(folder / "data/tran.csv") == "; did you mean 'train.csv'?");
  CHECK(hint_on_missing(folder / "data/Train.csv.gz") == "; did you mean 'train.csv'?");
  CHECK(hint_on_missing(folder / "data/something_else.idx").empty());
  CHECK(hint_on_missing(folder / "dat/a/train.csv") ==
        "; there is no folder '" + (folder / "dat").string() + "': did you mean 'data'?");
  CHECK(hint_on_missing(folder / "elsewhere/train.csv") ==
        "; there is no folder '" + (folder / "elsewhere").string() + "'");
  CHECK(hint_on_missing("no_such_file_of_any_name.idx").empty());
  CHECK(hint_on_missing("").empty());
  fs::remove_all(folder);
}
