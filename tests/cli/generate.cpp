// New images from trained models: what is drawn, and what is said when nothing can be.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "files/png/png.hpp"
#include "tests/cli/run_graphrun.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_model.hpp"

using namespace graphrun;
using namespace graphrun::testing;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

using Changes = std::vector<std::pair<std::string, std::string>>;

/// The small model with some of its text replaced, trained in `run`.
class TrainedPlace {
 public:
  explicit TrainedPlace(const Changes& changes = {}) {
    std::string text = small_model("steps: 8, seed: 1");
    for (const auto& [from, to] : changes) {
      REQUIRE(text.find(from) != std::string::npos);
      text.replace(text.find(from), from.size(), to);
    }
    std::ofstream(folder_ / "small.yaml") << text;
    const ProcessResult result = run({"small.yaml", "--out", "run", "-q"});
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
  }
  ProcessResult run(const std::vector<std::string>& words) const {
    ProcessOptions options;
    options.folder = folder_.path();
    return run_graphrun(words, options);
  }
  json generate(std::vector<std::string> words) const {
    words.insert(words.begin(), {"generate", "run", "--json"});
    const ProcessResult result = run(words);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return json::parse(result.out);
  }
  /// What is said to a wrong command line.
  std::string refusal(std::vector<std::string> words) const {
    words.insert(words.begin(), {"generate", "run"});
    const ProcessResult result = run(words);
    CHECK(result.exit_code == 2);
    return result.err;
  }
  files::Image picture(const std::string& name) const { return files::read_png(folder_ / name); }
  std::string text(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(folder_ / name).rdbuf();
    return text.str();
  }

 private:
  TemporaryFolder folder_;
};

/// Pixels of so many images of 28, drawn at twice their size, beside each other.
constexpr std::size_t pixels_of(std::size_t images) {
  return 2 + images * 58;
}

}  // namespace

TEST_CASE("samples of an autoencoder follow its training codes, and a seed repeats them") {
  const TrainedPlace place;
  const json result = place.generate({});
  CHECK(result["file"] == "run/samples.png");
  CHECK(result["count"] == 64);
  CHECK(result["codes"] == "training codes");
  CHECK(place.picture("run/samples.png").width == pixels_of(16));
  place.generate({"--count", "5", "--seed", "3", "--out", "a.csv"});
  place.generate({"--count", "5", "--seed", "3", "--out", "b.csv", "--threads", "1"});
  place.generate({"--count", "5", "--seed", "4", "--out", "c.csv"});
  CHECK(place.text("a.csv") == place.text("b.csv"));
  CHECK(place.text("a.csv") != place.text("c.csv"));
}

TEST_CASE("all pictures that suit a model are drawn when it has learnt, and by command") {
  const TrainedPlace place;
  const auto is_there = [&](const std::string& name) { return !place.text(name).empty(); };
  for (const std::string name : {"reconstruction", "codes", "codes-images", "grid", "filters", "curves"}) {
    INFO(name);
    CHECK(is_there("run/images/" + name + ".png"));
  }
  CHECK(!is_there("run/images/samples.png"));
  const ProcessResult result = place.run({"pictures", "run", "--out", "here", "--json"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(json::parse(result.out)["files"] ==
        json({"here/reconstruction.png", "here/codes.png", "here/codes-images.png", "here/grid.png",
              "here/filters.png", "here/curves.png"}));
  CHECK(place.text("here/codes.png") == place.text("run/images/codes.png"));
}

TEST_CASE("images are ranked by their error, which tells anomalies") {
  const TrainedPlace place;
  const ProcessResult result =
      place.run({"reconstruct", "run", "--rank", "worst", "--anomaly", "1", "--json"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const json worst = json::parse(result.out);
  CHECK(worst["count"] == 200);
  REQUIRE(worst["ranked"].size() == 32);
  CHECK(worst["ranked"][0]["mse"] > worst["ranked"][31]["mse"]);
  CHECK(worst["ranked"][31]["mse"] > worst["mse"]);
  CHECK(worst["ranked"][0]["label"].is_number());
  CHECK(worst["roc_auc"] >= 0.0);
  CHECK(worst["roc_auc"] <= 1.0);
  const ProcessResult best = place.run({"reconstruct", "run", "--rank", "best", "--json"});
  CHECK(json::parse(best.out)["ranked"][0]["mse"] < worst["mse"]);
  CHECK(contains(place.run({"reconstruct", "run", "--rank", "odd"}).err, "there are worst and best"));
  CHECK(contains(place.run({"reconstruct", "run", "--anomaly", "1"}).err, "add --rank worst"));
  CHECK(contains(place.run({"reconstruct", "run", "--rank", "worst", "--anomaly", "77"}).err,
                 "needs both images that are sought and others"));
}

TEST_CASE("new images are compared with real ones by the features of a model") {
  const TrainedPlace place;
  const auto distance = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"distance", "run", "--json"});
    return place.run(words);
  };
  const ProcessResult result = distance({"--features", "run"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const json all = json::parse(result.out);
  CHECK(all["count"] == 200);
  CHECK(all["features"] == 2);
  CHECK(all["codes"] == "training codes");
  CHECK(all["floor"] >= 0.0);
  CHECK(all["distance"] > all["floor"]);
  CHECK(distance({"--features", "run", "--threads", "1"}).out == result.out);
  CHECK(distance({"--features", "run", "--seed", "5"}).out != result.out);
  const json few = json::parse(distance({"--features", "run", "--count", "50"}).out);
  CHECK(few["count"] == 50);
  CHECK(few["floor"] > all["floor"]);
  CHECK(contains(distance({}).err, "whose features compare the images?"));
  CHECK(contains(distance({"--features", "run", "--count", "201"}).err, "has 2 to 200 test images"));
  CHECK(contains(distance({"--features", "nowhere"}).err, "nowhere"));
}

TEST_CASE("a grid is square, and a traversal has a row for each image") {
  const TrainedPlace place;
  CHECK(place.generate({"--grid", "--columns", "7"})["count"] == 49);
  const files::Image grid = place.picture("run/grid.png");
  CHECK(grid.width == pixels_of(7));
  CHECK(grid.height == pixels_of(7));
  CHECK(place.generate({"--traverse", "1", "--count", "3", "--columns", "5"})["count"] == 15);
  CHECK(place.picture("run/traversal-1.png").width == pixels_of(5));
}

TEST_CASE("the way between two images begins and ends with their reconstructions") {
  const TrainedPlace place;
  // Of oneDNN's products, bits follow the number of rows.
  const json result = place.generate(
      {"--interpolate", "2", "7", "--columns", "4", "--out", "way.csv", "--provider", "tiles"});
  CHECK(result["count"] == 4);
  CHECK(result["codes"] == "codes of test images");
  const std::vector<std::vector<std::string>> commands = {
      {"encode", "run", "--out", "codes.csv", "--first", "8", "--provider", "tiles"},
      {"decode", "run", "codes.csv", "--out", "all.csv", "--provider", "tiles"}};
  for (const auto& command : commands) REQUIRE(place.run(command).exit_code == 0);
  const auto line = [&](const std::string& name, int number) {
    std::istringstream stream(place.text(name));
    std::string text;
    for (int i = 0; i <= number; ++i) std::getline(stream, text);
    return text;
  };
  CHECK(line("way.csv", 1) == line("all.csv", 3));
  CHECK(line("way.csv", 4) == line("all.csv", 8));
}

TEST_CASE("samples follow the prior where a model names one, or a random latent") {
  const TrainedPlace prior(Changes{{"nodes:\n", "nodes:\n  drawn: {op: random_normal, like: code}\n"},
                                   {"outputs: {", "outputs: {prior: drawn, "}});
  CHECK(prior.generate({})["codes"] == "prior");
  CHECK(prior.generate({"--grid"})["codes"] == "prior");
  const TrainedPlace latent(
      Changes{{"dec: {op: dense, in: code,", "z: {op: random_normal, like: code}\n  dec: {op: dense, in: z,"},
              {"outputs: {", "outputs: {latent: z, "}});
  CHECK(latent.generate({"--count", "3"})["codes"] == "latent");
}

TEST_CASE("what cannot be generated is refused with the reason") {
  const TrainedPlace place(Changes{{"units: 2}", "units: 3}"}});
  CHECK(contains(place.refusal({"--grid"}), "a grid needs a code of 2 values, 'code' has 3"));
  CHECK(contains(place.refusal({"--traverse", "3"}), "there is no unit 3: 'code' has 3 units, 0 to 2"));
  CHECK(contains(place.refusal({"--interpolate", "0", "200"}),
                 "--interpolate 0 200: there are 200 test images, 0 to 199"));
  CHECK(contains(place.refusal({"--grid", "--traverse", "1"}), "take one"));
  CHECK(contains(place.refusal({"--spacing", "even"}), "add --grid"));
  CHECK(contains(place.refusal({"--grid", "--spacing", "odd"}), "there are even and quantiles"));
  CHECK(contains(place.refusal({"--grid", "--count", "9"}), "--columns says how many"));
  CHECK(contains(place.refusal({"--input", "code=1"}), "--input code=1: 'code' is the code, which this"));
  CHECK(contains(place.refusal({"--count", "0"}), "--count 0: there may be 1 to 100000"));
  CHECK(contains(place.refusal({"--grid", "--columns", "1"}), "--columns 1: there may be 2 to 100"));
  CHECK(contains(place.refusal({"--out", "samples.jpg"}), "the name must end in .npy or .csv"));
}

TEST_CASE("a model without images or codes says which output is missing") {
  const TrainedPlace no_image(Changes{{", image: recon", ""}});
  CHECK(contains(no_image.refusal({}), "has no output 'image', so there is nothing to draw"));
  const TrainedPlace no_code(Changes{{"code: code, ", ""}});
  CHECK(contains(no_code.refusal({}), "has neither an output 'latent' nor 'code'"));
  const TrainedPlace latent(
      Changes{{"dec: {op: dense, in: code,", "z: {op: random_normal, like: code}\n  dec: {op: dense, in: z,"},
              {"outputs: {code: code, ", "outputs: {latent: z, "}});
  CHECK(contains(latent.run({"distance", "run", "--features", "run"}).err,
                 "has no output 'code', whose values would be the features"));
  const TrainedPlace wide(Changes{{"nodes:\n", "nodes:\n  drawn: {op: random_normal, like: x}\n"},
                                  {"outputs: {", "outputs: {prior: drawn, "}});
  CHECK(contains(wide.refusal({}),
                 "output 'prior' has 784 values a row, but 'code', which it is fed to, has 2"));
}
