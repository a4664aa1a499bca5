// Whole runs of the program and what they leave behind. The model is small, the images are the repository's.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "files/npy.hpp"
#include "tests/cli/run_graphrun.hpp"
#include "tests/cli/workplace.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/phased_model.hpp"
#include "tests/support/small_model.hpp"

using namespace graphrun::testing;
namespace fs = std::filesystem;
using nlohmann::json;

TEST_CASE("a run leaves a directory with everything in it, and never overwrites one") {
  const Workplace place;
  const ProcessResult result = place.run({"small.yaml"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(contains(result.out, "graphrun reconstruct runs/small-1"));
  CHECK(contains(result.out, "graphrun encode runs/small-1"));
  CHECK(contains(result.out, "graphrun generate runs/small-1"));
  CHECK(contains(result.err, "epoch 1/2"));
  CHECK(contains(result.err, "| test loss"));
  for (const std::string name : {"resolved.yaml", "metrics.csv", "metrics.jsonl", "checkpoints", "images"})
    CHECK(fs::exists(place / ("runs/small-1/" + name)));
  CHECK(fs::exists(place / "runs/small-1/images/reconstruction-000032.png"));
  REQUIRE(place.run({"train", "small.yaml"}).exit_code == 0);
  CHECK(fs::exists(place / "runs/small-2/resolved.yaml"));
  const ProcessResult again = place.run({"small.yaml", "--out", "runs/small-1"});
  CHECK(again.exit_code == 2);
  CHECK(contains(again.err, "runs/small-1 is there already"));
}

TEST_CASE("weights go to PyTorch's names and axes, and come back to the same bits") {
  const Workplace place;
  place.run_json({"train", "small.yaml", "--out", "run"});
  CHECK(place.run_json({"export", "run", "--torch", "theirs.safetensors"})["tensors"] == 8);
  place.run_json({"encode", "run", "--out", "a.npy"});
  const ProcessResult encoded =
      place.run({"encode", "small.yaml", "--weights", "theirs.safetensors", "--out", "b.npy"});
  CHECK(encoded.exit_code == 0);
  CHECK(contains(encoded.err, "code.weight f32[2, 32] -> code.w [32, 2], axes 1, 0"));
  CHECK(graphrun::files::read_npy(place / "a.npy").bytes == graphrun::files::read_npy(place / "b.npy").bytes);

  // What a file cannot hold is shown with its line, of the model that the run carries.
  place.run_json({"train", "small.yaml", "--out", "drawn", "--max-steps", "1"});
  const ProcessResult drawn = place.run({"export", "drawn", "--onnx", "x.onnx", "--part", "noisy.noise"});
  CHECK(drawn.exit_code == 3);
  CHECK(contains(drawn.err, "draws random numbers"));
  CHECK(contains(drawn.err, "gaussian_noise, in: x"));
  CHECK(!fs::exists(place / "x.onnx"));
  CHECK(place.run_json({"export", "run", "--npz", "w.npz"})["tensors"] == 8);

  const ProcessResult dry =
      place.run({"export", "small.yaml", "--weights", "theirs.safetensors", "--from", "torch", "--dry-run"});
  CHECK(dry.exit_code == 0);
  CHECK(contains(dry.err, "code.bias"));
  CHECK(place.run({"encode", "small.yaml", "--weights", "theirs.safetensors", "--from", "tensorflow"})
            .exit_code == 2);
  CHECK(place.run({"encode", "small.yaml", "--weights", "theirs.safetensors", "--map", "x=y"}).exit_code ==
        4);

  // Learning begins with them: one tiny step leaves them nearly as they were.
  place.run_json({"train", "small.yaml", "--weights", "theirs.safetensors", "--out", "more", "--max-steps",
                  "1", "--set", "train.optimizer.lr=1.0e-30"});
  place.run_json({"encode", "more", "--out", "c.npy"});
  CHECK(graphrun::files::read_npy(place / "a.npy").bytes == graphrun::files::read_npy(place / "c.npy").bytes);
}

TEST_CASE("a code decodes to the image that its original is reconstructed to") {
  const Workplace place;
  place.run_json({"train", "small.yaml", "--out", "run"});
  place.run_json({"encode", "run", "--out", "codes.npy", "--first", "3"});
  CHECK(fs::file_size(place / "codes.labels.npy") == 128 + 3);
  place.run_json({"decode", "run", "codes.npy", "--out", "images.csv"});
  const ProcessResult twice = place.run({"decode", "run", "codes.npy", "--input", "code=1"});
  CHECK(twice.exit_code == 2);
  CHECK(contains(twice.err, "--input code=1: 'code' is the code, which this command gives the decoder"));
  std::ifstream file(place / "images.csv");
  std::string line;
  int lines = 0;
  while (std::getline(file, line)) ++lines;
  CHECK(lines == 4);
}

TEST_CASE("codes that are indices decode, and other numbers are refused") {
  const Workplace place;
  std::string model = small_model("epochs: 1, seed: 1");
  const std::string from = "  dec: {op: dense, in: code,";
  model.replace(model.find(from), from.size(),
                "  book: {op: param, shape: [4, 2], init: normal}\n"
                "  index: argmin(pairwise_distance(code, book))\n"
                "  z: straight_through(gather(book, index), code)\n"
                "  dec: {op: dense, in: z,");
  const std::string output = "{code: code, image";
  model.replace(model.find(output), output.size(), "{code: index, image");
  place.write("index.yaml", model);
  place.run_json({"train", "index.yaml", "--out", "run"});
  place.run_json({"encode", "run", "--out", "codes.npy", "--first", "3"});
  CHECK(place.run_json({"decode", "run", "codes.npy", "--out", "images.npy"})["count"] == 3);
  place.write("codes.csv", "index_0\n1\n0.5\n");
  const ProcessResult wrong = place.run({"decode", "run", "codes.csv", "--out", "images.npy"});
  CHECK(wrong.exit_code == 4);
  CHECK(wrong.err.find("codes.csv: the codes of the model are whole numbers, and 0.5 is none") !=
        std::string::npos);
}

TEST_CASE("the resolved model of a run trains to the same weights") {
  const Workplace place;
  const json first = place.run_json({"train", "small.yaml", "--out", "a", "--set", "units=3", "--seed", "5"});
  const json second = place.run_json({"train", "a/resolved.yaml", "--out", "b", "--threads", "1"});
  CHECK(first["digest"] == second["digest"]);
  const json other = place.run_json({"train", "small.yaml", "--out", "c", "--set", "units=3"});
  CHECK(first["digest"] != other["digest"]);
}

TEST_CASE("a run may begin with the weights of another") {
  const Workplace place;
  const json first = place.run_json({"train", "small.yaml", "--out", "a"});
  const json second =
      place.run_json({"train", "small.yaml", "--out", "b", "--weights", "a", "--set", "train.epochs=1"});
  CHECK(second["steps"] == 16);
  CHECK(second["train"]["loss"].get<double>() < first["train"]["loss"].get<double>());
  // What does not fit begins anew, and is named.
  const ProcessResult other = place.run({"small.yaml", "--out", "c", "--weights", "a", "--set", "units=3"});
  CHECK(other.exit_code == 0);
  CHECK(contains(other.err, "5 of 8 parameters are taken from"));
  CHECK(contains(other.err, "of another shape, so they begin anew: "));
  CHECK(contains(other.err, "code.w is f32[32, 2] in the file and f32[32, 3] in the model"));
  std::string renamed = small_model();
  for (const std::string name : {"enc", "code", "dec", "recon"})
    for (std::size_t at = renamed.find(name); at != std::string::npos; at = renamed.find(name, at + 3))
      renamed.replace(at, 1, "q");
  place.write("renamed.yaml", renamed);
  const ProcessResult none = place.run({"renamed.yaml", "--out", "d", "--weights", "a"});
  CHECK(none.exit_code == 4);
  CHECK(contains(none.err, "it has none of the model's parameters (qnc.w, qnc.b, "));
  CHECK(!fs::exists(place / "d"));
}

TEST_CASE("several files of weights make one model, on the command line and in its file") {
  const Workplace place;
  place.run_json({"train", "small.yaml", "--out", "a", "--max-steps", "1"});
  place.run_json({"train", "small.yaml", "--out", "b", "--max-steps", "1", "--seed", "5"});
  place.run_json({"export", "a", "--torch", "a.safetensors"});
  // The first layers of the one, then the others of the second.
  const std::string wide = "train.optimizer.lr=1.0e-30";
  const ProcessResult both = place.run({"encode", "small.yaml", "--weights", "b", "--weights",
                                        "a.safetensors", "--from", "torch", "--out", "wrong.npy"});
  CHECK(both.exit_code == 4);  // `b` is a checkpoint of graphrun's
  const ProcessResult encoded = place.run(
      {"encode", "small.yaml", "--weights", "b", "--weights", "a.safetensors", "--out", "codes.npy"});
  REQUIRE(encoded.exit_code == 0);
  CHECK(contains(encoded.err, "8 of 8 parameters are taken from b/checkpoints/"));
  CHECK(contains(encoded.err, "a.safetensors overrides code.b, code.w, "));
  place.run_json({"encode", "a", "--out", "a.npy"});
  CHECK(graphrun::files::read_npy(place / "a.npy").bytes ==
        graphrun::files::read_npy(place / "codes.npy").bytes);
  CHECK(place.run({"encode", "a", "--weights", "a.safetensors", "--weights", "b"}).exit_code == 2);

  place.write("begun.yaml", small_model() + "weights: {file: a.safetensors, from: torch}\n");
  place.run_json({"encode", "begun.yaml", "--out", "begun.npy"});
  CHECK(graphrun::files::read_npy(place / "a.npy").bytes ==
        graphrun::files::read_npy(place / "begun.npy").bytes);
  const ProcessResult begun =
      place.run({"train", "begun.yaml", "--out", "c", "--max-steps", "1", "--set", wide});
  REQUIRE(begun.exit_code == 0);
  CHECK(contains(begun.err, "code.weight f32[2, 32] -> code.w [32, 2], axes 1, 0"));
  place.run_json({"encode", "c", "--out", "c.npy"});
  CHECK(graphrun::files::read_npy(place / "a.npy").bytes == graphrun::files::read_npy(place / "c.npy").bytes);
  // A run has its own; nothing is looked for beside them.
  fs::remove(place / "a.safetensors");
  CHECK(place.run({"encode", "c", "--out", "again.npy"}).exit_code == 0);
  CHECK(place.run({"train", "--resume", "c", "--max-steps", "2"}).exit_code == 0);
  const ProcessResult gone = place.run({"check", "begun.yaml"});
  CHECK(gone.exit_code != 0);
  CHECK(contains(gone.err, "a.safetensors"));
  CHECK(place.run({"check", "begun.yaml", "--set", "weights=[]"}).exit_code == 0);
}

TEST_CASE("phases are reported by name, in figures, files and JSON") {
  const Workplace place;
  place.write(
      "phased.yaml",
      phased_model("  phases:\n"
                   "    - {name: layers, greedy: {encoder: [enc, code], decoder: [dec, recon]}, epochs: 1}\n"
                   "    - name: tuned\n"
                   "      loss: [class]\n"
                   "      subset: {sample: 100, balanced: true}\n"
                   "      epochs: 3\n"
                   "      draws: 2\n"
                   "    - {name: scratch, same_as: tuned, start: init}\n",
                   "  near: {probe: knn, in: [code, y], k: 3}\n"));
  const ProcessResult result = place.run({"phased.yaml", "--out", "run"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(contains(result.err, "layers, layer 1 of 3, epoch 1/1"));
  CHECK(contains(result.err, "tuned, draw 2 of 2, epoch 3/3"));
  CHECK(contains(result.out, "tuned, 2 draws: loss "));
  CHECK(contains(result.out, "scratch - tuned, 2 pairs: "));
  CHECK(contains(result.out, "95 % confidence interval"));
  std::ifstream file(place / "run/metrics.csv");
  std::string header;
  std::getline(file, header);
  CHECK(header.starts_with("step,epoch,seconds,images_per_second,phase,draw,layer,train.loss,"));
  CHECK(contains(header, ",test.accuracy,test.near"));
  const std::string rows{std::istreambuf_iterator<char>(file), {}};
  CHECK(std::count(rows.begin(), rows.end(), '\n') == 3 + 2 * 2 * 3);
  CHECK(contains(rows, ",layers,1,3,"));
  CHECK(contains(rows, ",scratch,2,,"));

  const json run = place.run_json({"train", "phased.yaml", "--out", "json"});
  CHECK(keys_of(run) == Keys{"checkpoint", "differences", "digest", "epochs", "phases", "precision",
                             "provider", "report", "run_dir", "seconds", "steps", "test", "train"});
  REQUIRE(run["phases"].size() == 3);
  CHECK(keys_of(run["phases"][0]) == Keys{"confidence95", "draws", "name", "test"});
  CHECK(run["phases"][0]["confidence95"]["loss"].is_null());
  CHECK(run["phases"][1]["draws"] == 2);
  REQUIRE(run["differences"].size() == 1);
  CHECK(keys_of(run["differences"][0]) == Keys{"confidence95", "minus", "of", "pairs", "test"});
  const double tuned = run["phases"][1]["test"]["accuracy"];
  const double scratch = run["phases"][2]["test"]["accuracy"];
  CHECK(run["differences"][0]["test"]["accuracy"].get<double>() == Approx(scratch - tuned));
  const json eval = place.run_json({"eval", "json"});
  CHECK(eval["near"] == run["test"]["near"]);
  CHECK(eval["accuracy"] == run["test"]["accuracy"]);

  const json plan = place.run_json({"plan", "phased.yaml"});
  REQUIRE(plan["steps"].size() == 5);
  CHECK(plan["steps"][1]["name"] == "layers, layer 2 of 3");
  const json check = place.run_json({"check", "phased.yaml", "--grad"});
  CHECK(check["gradients"][0]["phase"] == "layers, layer 1 of 3");
  CHECK(check["gradients"][0]["ok"] == true);
}
