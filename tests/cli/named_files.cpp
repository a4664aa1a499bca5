// What is wrong with a file leads back to where it is named: a line of the model, or a flag.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/workplace.hpp"

using namespace graphrun::testing;
namespace fs = std::filesystem;

namespace {

const std::string nodes =
    "nodes:\n  code: {op: dense, in: x, units: 2}\n  recon: {op: dense, in: code, units: 4}\n"
    "outputs: {code: code, image: recon}\n"
    "loss: {r: {op: mse, in: [recon, x]}}\n"
    "train: {optimizer: adam, batch: 2, steps: 1}\n";

/// A model of four numbers whose data stand in the lines from 4 on.
std::string model_of(const std::string& data) {
  return "graphrun: 1\nname: m\ndata:\n" + data + "inputs: {x: {shape: [batch, 4]}}\n" + nodes;
}

std::string refusal(const Workplace& place, const std::vector<std::string>& words, int exit_code = 4) {
  const ProcessResult result = place.run(words);
  INFO(result.err);
  CHECK(result.exit_code == exit_code);
  return result.err;
}

}  // namespace

TEST_CASE("a file of data that is not there is told at the line that names it") {
  const Workplace place;
  place.write("rows.csv", "1,2,3,4\n5,6,7,8\n");
  place.write("m.yaml", model_of("  train: {images: rows.csv}\n  test:\n    images: row.csv\n"));
  for (const std::string command : {"check", "train"}) {
    const std::string said = refusal(place, {command, "m.yaml"});
    INFO(said);
    CHECK(contains(said, "m.yaml:6:13: error: "));
    CHECK(contains(said, place.folder() + "/row.csv"));
    CHECK(contains(said, "did you mean 'rows.csv'?"));
    CHECK(contains(said, "Paths in a model file are relative to its folder\n        images: row.csv\n" +
                             std::string(16, ' ') + "^\n"));
  }
  place.write("m.yaml", model_of("  train: {images: dta/rows.csv}\n"));
  fs::create_directory(place / "data");
  CHECK(contains(refusal(place, {"train", "m.yaml"}), "/dta': did you mean 'data'?"));
  // What is set on the command line stands in no line of the file.
  const std::string set = refusal(place, {"train", "m.yaml", "--set", "data.train.images=rws.csv"});
  CHECK(contains(set, "/rws.csv: error: cannot open: No such file or directory; did you mean 'rows.csv'?"));
  CHECK(contains(set, "  note: it is what --set data.train.images names\n"));
  CHECK(!contains(set, "m.yaml"));
}

TEST_CASE("files of every kind beside the images are told at their own lines") {
  const Workplace place;
  place.write("rows.csv", "1,2,3,4\n5,6,7,8\n");
  place.write("short.csv", "1\n");
  place.write("empty.idx", "");
  place.write("text.idx", "no numbers at all");
  fs::create_directory(place / "folder");
  const auto said = [&](const std::string& line) {
    place.write("m.yaml", model_of("  train:\n    images: rows.csv\n    " + line + "\n"));
    return refusal(place, {"train", "m.yaml"});
  };
  CHECK(contains(said("labels: none.npy"), "m.yaml:6:13: error: "));
  CHECK(contains(said("labels: {file: none.csv, column: a}"), "m.yaml:6:20: error: "));
  CHECK(contains(said("targets: none.npy"), "m.yaml:6:14: error: "));
  CHECK(contains(said("weights: none.npy"), "m.yaml:6:14: error: "));
  CHECK(contains(said("weights: short.csv"), "short.csv: holds 1 weights for 2 images"));
  CHECK(
      contains(said("targets: empty.idx"), "m.yaml:6:14: error: " + place.folder() + "/empty.idx: is empty"));
  CHECK(contains(said("targets: text.idx"), "text.idx: is no IDX, NPY, CSV, PNG or JPEG file"));
  CHECK(
      contains(said("targets: folder"), "m.yaml:6:14: error: " + place.folder() + "/folder: holds no pict"));
  CHECK(contains(said("arrays: {a: none.npy}"), "m.yaml:6:17: error: "));
  CHECK(contains(said("arrays: none.npz"), "m.yaml:6:13: error: "));
  // What has a line of its own is mended there; the model's stands behind.
  place.write("bad.csv", "1,2,3,4\n5,six,7,8\n");
  const std::string bad = said("targets: bad.csv");
  CHECK(contains(bad, "bad.csv:2:3: error: "));
  CHECK(contains(bad, "(m.yaml:6:14 names this file)"));
}

TEST_CASE("a table that is wrong is told at the line that names it") {
  const Workplace place;
  const auto said = [&](const std::string& file, const std::vector<std::string>& words) {
    place.write("m.yaml", "graphrun: 1\nname: m\ndata:\n  train:\n    table: " + file +
                              "\ninputs: {x: {from: cells}}\n" + nodes);
    return refusal(place, words);
  };
  place.write("rows.csv", "a,b,c,d\n1,2,3,4\n5,6,7,8\n");
  CHECK(contains(said("row.csv", {"check", "m.yaml"}), "m.yaml:5:12: error: "));
  CHECK(contains(said("row.csv", {"train", "m.yaml"}), "did you mean 'rows.csv'?"));
  place.write("ragged.csv", "a,b,c,d\n1,2,3,4\n5,6,7\n");
  const std::string ragged = said("ragged.csv", {"check", "m.yaml"});
  CHECK(contains(ragged, "ragged.csv:3:"));
  CHECK(contains(ragged, "(m.yaml:5:12 names this file)"));
  fs::create_directory(place / "none");
  CHECK(contains(said("none", {"check", "m.yaml"}),
                 "m.yaml:5:12: error: " + place.folder() + "/none: is a folder"));
}

TEST_CASE("of a run, whose model is no file to edit, data that are gone are told with how to name others") {
  const Workplace place;
  place.write("rows.csv", "1,2,3,4\n5,6,7,8\n");
  place.write("m.yaml", model_of("  train: {images: rows.csv}\n"));
  REQUIRE(place.run({"train", "m.yaml", "--out", "run"}).exit_code == 0);
  fs::rename(place / "rows.csv", place / "moved.csv");
  const std::string said = refusal(place, {"eval", "run", "--split", "train"});
  INFO(said);
  CHECK(contains(said, place.folder() + "/rows.csv: cannot open: No such file or directory. "));
  CHECK(contains(said, "If it has moved, --set data.train.images=FILE says where it is"));
  CHECK(place.run({"eval", "run", "--split", "train", "--set", "data.train.images=moved.csv"}).exit_code ==
        0);
}

TEST_CASE("a file that a flag names is told with the flag") {
  const Workplace place;
  place.write("rows.csv", "1,2,3,4\n5,6,7,8\n");
  place.write("m.yaml", model_of("  train: {images: rows.csv}\n"));
  REQUIRE(place.run({"train", "m.yaml", "--out", "run"}).exit_code == 0);
  CHECK(contains(refusal(place, {"encode", "run", "--images", "row.csv"}),
                 "row.csv: error: cannot open: No such file or directory; did you mean 'rows.csv'?\n"
                 "  note: it is what --images names\n"));
  CHECK(
      contains(refusal(place, {"encode", "run", "--images=m.yaml"}), "  note: it is what --images names\n"));
  CHECK(contains(refusal(place, {"encode", "m.yaml", "--weights", "ru"}),
                 "did you mean 'run'?\n  note: it is what --weights names\n"));
  CHECK(contains(refusal(place, {"eval", "rn"}),
                 "rn: error: cannot open: No such file or directory; did you mean 'run'?"));
  CHECK(contains(refusal(place, {"train", "--resume", "rn"}),
                 "there is no such run directory; did you mean 'run'?"));
  CHECK(contains(refusal(place, {"check", "mm.yaml"}), "there is no such file; did you mean 'm.yaml'?"));
  CHECK(contains(refusal(place, {"check", "run"}), "the model of this run is run/resolved.yaml"));
  if (::geteuid() == 0) return;  // who may read everything
  ::chmod((place / "rows.csv").c_str(), 0);
  CHECK(contains(refusal(place, {"train", "m.yaml"}), "Permission denied (check its owner and permissions)"));
}
