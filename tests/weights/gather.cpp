// Weights from one file and from several: what each has, fills in, overrides, and what begins anew.
#include "weights/gather.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "tests/weights/file_maker.hpp"
#include "train/learn/definition.hpp"

using namespace graphrun;
using graphrun::testing::contains;
using graphrun::testing::FileMaker;
using graphrun::testing::TemporaryFolder;
using graphrun::testing::thrown;

namespace {

/// 6-4-2 and back.
train::SharedDefinition model(const std::string& weights = {}) {
  return train::parse_definition(
      "graphrun: 1\nname: m\ninputs: {x: {shape: [batch, 6]}}\nnodes:\n"
      "  enc: {op: dense, in: x, units: 4, act: tanh}\n  code: {op: dense, in: enc, units: 2}\n"
      "  dec: {op: dense, in: code, units: 4, act: tanh}\n  recon: {op: dense, in: dec, units: 6}\n"
      "outputs: {code: code, image: recon}\n" +
          weights,
      "model.yaml");
}

FileMaker encoder_of_torch() {
  FileMaker maker;
  maker.add("net.0.weight", {4, 6}).add("net.0.bias", {4}).add("net.2.weight", {2, 4}).add("net.2.bias", {2});
  return maker;
}

FileMaker decoder_of_ours() {
  FileMaker maker;
  maker.add("dec.w", {2, 4}).add("dec.b", {4}).add("recon.w", {4, 6}).add("recon.b", {6}).add("code.b", {2});
  return maker;
}

WeightsRecipe recipe(const TemporaryFolder& folder, const std::string& name) {
  return {.file = folder / name, .from = {}, .map = {}, .where = {}};
}

std::string refusal(const std::vector<WeightsRecipe>& files, const weights::GatherOptions& options = {}) {
  const auto error = thrown([&] { weights::gathered(*model(), files, options); });
  return error ? std::string(error->what()) : "taken";
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace

TEST_CASE("each file fills in what those before it lack, and overrides the rest") {
  const TemporaryFolder folder;
  const FileMaker encoder = encoder_of_torch();
  const FileMaker decoder = decoder_of_ours();
  encoder.write(folder, "encoder");
  decoder.write(folder, "decoder");
  const std::set<std::string> needed = {"enc.w", "code.w", "recon.b"};
  const weights::Gathered found = weights::gathered(
      *model(), std::vector{recipe(folder, "encoder"), recipe(folder, "decoder")}, {.needed = &needed});
  CHECK(found.values.size() == 8);
  CHECK(found.values.at("enc.b") == encoder.values(1));
  CHECK(found.values.at("recon.b") == decoder.values(3));
  CHECK(found.values.at("code.b") == decoder.values(4));
  CHECK(contains(joined(found.table), "net.0.weight f32[4, 6] -> enc.w [6, 4], axes 1, 0"));
  CHECK(contains(joined(found.table), "decoder overrides code.b of "));
  CHECK(contains(joined(found.notes), "5 of 8 parameters are taken from "));
  CHECK_FALSE(contains(joined(found.notes), "begin anew"));

  const weights::Gathered other =
      weights::gathered(*model(), std::vector{recipe(folder, "decoder"), recipe(folder, "encoder")});
  CHECK(other.values.at("code.b") == encoder.values(3));
}

TEST_CASE("a part of a model is taken as such, and what no file has begins anew or is asked for") {
  const TemporaryFolder folder;
  encoder_of_torch().write(folder, "encoder");
  const std::vector<WeightsRecipe> files = {recipe(folder, "encoder")};
  const weights::Gathered found = weights::gathered(*model(), files);
  CHECK(found.values.size() == 4);
  CHECK(contains(joined(found.notes), "not in the file, so they begin anew: dec.w, dec.b, recon.w, recon.b"));
  // A single file that must have all is matched as a whole.
  const std::set<std::string> needed = {"enc.w", "enc.b", "code.w", "code.b", "dec.w", "dec.b"};
  CHECK(
      contains(refusal(files, {.needed = &needed}), "no module that could be 'dec' (dense, [4, 2] and [4])"));
  const std::vector<WeightsRecipe> twice = {files[0], files[0]};
  CHECK(contains(refusal(twice, {.needed = &needed}), "none of the files of weights has 'dec.w', 'dec.b'"));

  FileMaker nothing;
  nothing.add("head.weight", {7, 7}).add("head.bias", {7}).write(folder, "nothing");
  CHECK(contains(refusal({recipe(folder, "nothing")}),
                 "no module that could be any of 'enc' (dense, [4, 6] and "));
}

TEST_CASE("a part that fits in two places is a question, and the map answers it") {
  const auto square = train::parse_definition(
      "graphrun: 1\nname: m\ninputs: {x: {shape: [batch, 3]}}\nnodes:\n  a: {op: dense, in: x, units: 3}\n"
      "  b: {op: dense, in: a, units: 3}\noutputs: {code: b}\n",
      "model.yaml");
  const TemporaryFolder folder;
  FileMaker maker;
  maker.add("q.weight", {3, 3}).add("q.bias", {3}).write(folder, "one");
  std::vector<WeightsRecipe> files = {recipe(folder, "one")};
  const auto question = thrown([&] { weights::gathered(*square, files); });
  REQUIRE(question);
  CHECK(question->code() == ErrorCode::data);
  CHECK(contains(question->what(), "layer 'a' may be 'q' or none of them"));
  CHECK(contains(question->what(), "layer 'b' may be none of them or 'q'"));
  CHECK(weights::gathered(*square, files, {.map = {"q=b"}}).values.at("b.b") == maker.values(1));
  files[0].map = {"q=a"};
  CHECK(weights::gathered(*square, files).values.contains("a.w"));
  // A map for all files is about the one that has the module.
  FileMaker own;
  own.add("a.w", {3, 3}).write(folder, "own");
  files = {recipe(folder, "own"), recipe(folder, "one")};
  CHECK(weights::gathered(*square, files, {.map = {"q=b"}}).values.size() == 3);
  const auto unknown = thrown([&] { weights::gathered(*square, files, {.map = {"q=b", "r=b"}}); });
  REQUIRE(unknown);
  CHECK(
      contains(unknown->what(), "--map r=b: no file of another program has a module or tensor of this name"));
}

TEST_CASE("a model names its files, and mistakes have the line in it") {
  const auto files =
      model("weights:\n  - a.safetensors\n  - {file: /b.safetensors, from: keras, map: {e: enc}}\n")->weights;
  REQUIRE(files.size() == 2);
  CHECK(files[0].file.ends_with("/a.safetensors"));
  CHECK(files[0].file.starts_with("/"));
  CHECK(files[1].file == "/b.safetensors");
  CHECK(files[1].from == "keras");
  CHECK(files[1].map == std::vector<std::string>{"e=enc"});
  CHECK(model("weights: {file: a, map: ['x.{0,1}=enc', \"b=code\"]}\n")->weights[0].map.size() == 2);
  CHECK(model("weights: []\n")->weights.empty());

  const TemporaryFolder folder;
  decoder_of_ours().write(folder, "own");
  const auto refused = [&](const std::string& rest) {
    const auto named = model("weights: {file: \"" + (folder / "own").string() + "\"" + rest + "}\n");
    const auto error = thrown([&] { weights::gathered(*named, named->weights); });
    return error ? std::string(error->what()) : "taken";
  };
  CHECK(refused("") == "taken");
  CHECK(
      contains(refused(", map: {x: dec}"), "model.yaml:10:10: error: `map:` is for files of other programs"));
  CHECK(contains(refused(", from: torch, map: {\"x.{0,1}\": dec}"),
                 "model.yaml:10:10: error: `map:` x.{0,1}=dec: it is MODULE=LAYER"));
  const auto absent = model("weights: {file: \"" + (folder / "absent").string() + "\"}\n");
  const auto error = thrown([&] { weights::gathered(*absent, absent->weights); });
  REQUIRE(error);
  CHECK(contains(error->what(), "model.yaml:10:"));
  CHECK(contains(error->what(), (folder / "absent").string()));
}
