// Models that learn from files of every kind, and commands that are given files, through the program.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "files/npy.hpp"
#include "files/png/png.hpp"
#include "tests/cli/run_graphrun.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;
using namespace graphrun::testing;
namespace fs = std::filesystem;
namespace files = graphrun::files;
using nlohmann::json;

namespace {

/// A model of `width` values with a code of 2, over whatever `data:` says.
std::string model_of(const std::string& data, int width) {
  return "graphrun: 1\nname: small\ndata: " + data + "\ninputs:\n  x: {shape: [batch, " +
         std::to_string(width) +
         "]}\n  y: {from: labels}\n"
         "nodes:\n  code: {op: dense, in: x, units: 2}\n  recon: {op: dense, in: code, units: " +
         std::to_string(width) +
         "}\n  logits: {op: dense, in: code, units: 3}\n"
         "outputs: {code: code, image: recon}\n"
         "loss: {reconstruction: {op: mse, in: [recon, x]}, class: {op: cross_entropy, in: [logits, y]}}\n"
         "train: {optimizer: {op: adam}, batch: 4, steps: 6, seed: 1}\n";
}

class Place {
 public:
  const Place& text(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return *this;
  }
  const Place& picture(const std::string& name, std::uint8_t value) const {
    fs::create_directories((folder_ / name).parent_path());
    files::write_png(folder_ / name, {8, 8, 1, std::vector<std::uint8_t>(64, value)});
    return *this;
  }
  std::string read(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(folder_ / name).rdbuf();
    return text.str();
  }
  fs::path operator/(const std::string& name) const { return folder_ / name; }
  ProcessResult run(const std::vector<std::string>& words) const {
    ProcessOptions options;
    options.folder = folder_.path();
    return run_graphrun(words, options);
  }
  json done(std::vector<std::string> words) const {
    words.emplace_back("--json");
    const ProcessResult result = run(words);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return json::parse(result.out);
  }
  /// What is said about data that are wrong.
  std::string refusal(const std::vector<std::string>& words, int exit_code = 4) const {
    const ProcessResult result = run(words);
    INFO(result.err);
    CHECK(result.exit_code == exit_code);
    return result.err;
  }

 private:
  TemporaryFolder folder_;
};

const std::string flowers =
    "sepal,petal,width,kind\n"
    "5.1,1.4,0.2,setosa\n4.9,1.5,0.1,setosa\n5.7,4.2,1.2,versicolor\n"
    "6.2,4.6,1.4,versicolor\n6.5,5.8,2.2,virginica\n7.1,5.9,2.1,virginica\n";

}  // namespace

TEST_CASE("a table of measurements is learnt, and its checkpoint knows the classes by name") {
  const Place place;
  place.text("flowers.csv", flowers);
  place.text("m.yaml", model_of("{train: {images: flowers.csv, labels: {column: kind}}}", 3));
  place.done({"train", "m.yaml", "--out", "run"});
  CHECK(contains(place.read("run/resolved.yaml"), "classes: [\"setosa\", \"versicolor\", \"virginica\"]"));
  // Measurements are not drawn.
  CHECK(!fs::exists(place / "run/images/filters.png"));
  CHECK(fs::exists(place / "run/images/codes.png"));
  fs::remove(place / "flowers.csv");
  place.text("more.csv", "sepal,petal,width,kind\n6.6,5.7,2.0,virginica\n5.0,1.5,0.2,setosa\n");
  place.done({"encode", "run", "--images", "more.csv", "--out", "codes.csv"});
  const std::string codes = place.read("codes.csv");
  CHECK(contains(codes, "code_0,code_1,label\n"));
  CHECK(contains(codes, ",2\n"));
  CHECK(codes.ends_with(",0\n"));
  CHECK(place.done({"eval", "run", "--images", "more.csv"})["count"] == 2);
  const json rebuilt = place.done({"reconstruct", "run", "--images", "more.csv"});
  CHECK(rebuilt["file"] == "run/reconstruction.npy");
  CHECK(rebuilt["count"] == 2);
  CHECK(files::read_npy(place / "run/reconstruction.npy").shape == std::vector<std::size_t>{2, 3});
  place.done({"reconstruct", "run", "--images", "more.csv", "--out", "r.csv", "--errors", "errors.csv"});
  CHECK(place.read("errors.csv").starts_with("image,mse,label\n0,"));
  CHECK(place.read("r.csv").starts_with("image_0,image_1,image_2,label\n"));
  const json ranked =
      place.done({"reconstruct", "run", "--images", "more.csv", "--rank", "worst", "--anomaly", "setosa"});
  CHECK(ranked["roc_auc"].is_number());
  CHECK(contains(
      place.refusal({"reconstruct", "run", "--images", "more.csv", "--rank", "worst", "--anomaly", "setoza"},
                    2),
      "neither a number nor the name of a label; did you mean 'setosa'?"));
  place.text("other.csv", "sepal,petal,width,kind\n6.6,5.7,2.0,rosa\n");
  CHECK(contains(place.refusal({"eval", "run", "--images", "other.csv"}),
                 "has the label 'rosa' in row 0, which is none"));
  place.text("bare.csv", "6.6,5.7,2.0\n");
  CHECK(place.done({"encode", "run", "--images", "bare.csv", "--out", "bare.npy"})["count"] == 1);
  CHECK(!fs::exists(place / "bare.labels.npy"));
  place.text("wide.csv", "6.6,5.7,2.0,1\n");
  CHECK(contains(place.refusal({"encode", "run", "--images", "wide.csv"}, 3),
                 "takes 3 values an image, the images are rows of 4"));
}

TEST_CASE("folders of pictures are learnt, with their names as labels") {
  const Place place;
  for (int i = 0; i < 4; ++i)
    for (const std::string kind : {"bag", "coat", "hat"})
      place.picture("train/" + kind + "/" + std::to_string(i) + ".png", static_cast<std::uint8_t>(i * 60));
  place.picture("test/hat/x.png", 200).picture("test/bag/x.png", 100);
  place.text("m.yaml", model_of("{train: {images: train}, test: {images: test}}", 64));
  const json run = place.done({"train", "m.yaml", "--out", "run"});
  CHECK(run["test"]["class"].is_number());
  CHECK(fs::exists(place / "run/images/reconstruction.png"));
  place.done({"encode", "run", "--out", "codes.csv"});
  const std::string codes = place.read("codes.csv");
  CHECK(codes.ends_with(",2\n"));
  CHECK(place.done({"reconstruct", "run", "--images", "test/hat/x.png"})["count"] == 1);
  CHECK(place.done({"eval", "run", "--images", "test"})["class"] == run["test"]["class"]);
  place.text("labels.csv", "bag\nhat\n");
  CHECK(place.done({"eval", "run", "--images", "test", "--labels", "labels.csv"})["class"] ==
        run["test"]["class"]);
}

TEST_CASE("pixels in a table are divided, and the hint for it is given") {
  const Place place;
  std::string table = "label";
  for (int i = 0; i < 64; ++i) table += ",pixel" + std::to_string(i);
  for (int row = 0; row < 3; ++row) {
    table += "\n" + std::to_string(row);
    for (int i = 0; i < 64; ++i) table += "," + std::to_string((row * 64 + i) % 256);
  }
  place.text("digits.csv", table + "\n");
  place.text("m.yaml", model_of("{train: {images: digits.csv}}", 64));
  const ProcessResult result = place.run({"train", "m.yaml", "--out", "a"});
  REQUIRE(result.exit_code == 0);
  CHECK(contains(result.err, "if they are pixels, write `divide_by: 255` under `data:`"));
  const ProcessResult divided = place.run({"train", "m.yaml", "--out", "b", "--set", "data.divide_by=255"});
  REQUIRE(divided.exit_code == 0);
  CHECK(!contains(divided.err, "divide_by"));
  CHECK(fs::exists(place / "b/images/filters.png"));
  // What the model's own data are divided by, other files are too.
  const double own = place.done({"eval", "b", "--split", "train"})["loss"];
  CHECK(place.done({"eval", "b", "--images", "digits.csv"})["loss"].get<double>() == own);
}

TEST_CASE("files that a command is given are refused with the reason") {
  const Place place;
  place.text("flowers.csv", flowers);
  place.text("m.yaml", model_of("{train: {images: flowers.csv, labels: {column: kind}}}", 3));
  place.done({"train", "m.yaml", "--out", "run"});
  const auto refusal = [&](const std::string& images) {
    return place.refusal({"encode", "run", "--images", images});
  };
  CHECK(contains(refusal("none.csv"), "none.csv: error: cannot open: No such file"));
  place.text("bad.csv", "sepal,petal,width\n1,2,nan\n");
  CHECK(contains(refusal("bad.csv"),
                 "bad.csv:2:5: error: 'nan' is no finite number; rows with missing values"));
  fs::create_directory(place / "empty");
  CHECK(contains(refusal("empty"), "empty: error: holds no pictures"));
  CHECK(contains(place.refusal({"eval", "run", "--labels", "x.csv"}, 2),
                 "--labels x.csv: they are of images of your own: add --images FILE"));
  CHECK(contains(place.refusal({"eval", "run", "--images", "flowers.csv", "--label-column", "kid"}),
                 "has no column 'kid'. Did you mean 'kind'?"));
  CHECK(contains(place.refusal({"reconstruct", "run", "--errors", "a.txt"}, 2), "the name must end in .csv"));
  CHECK(contains(place.refusal({"reconstruct", "run", "--out", "a.jpg"}, 2),
                 "the name must end in .npy or .csv"));
}

TEST_CASE("what a file holds is shown before a model is written for it") {
  const Place place;
  place.text("flowers.csv", flowers);
  const json flowers_shown = place.done({"data", "show", "flowers.csv", "--label-column", "kind"});
  CHECK(flowers_shown["count"] == 6);
  CHECK(flowers_shown["width"] == 3);
  CHECK(flowers_shown["pictures"] == false);
  CHECK(flowers_shown["pixels"] == false);
  CHECK(flowers_shown["highest"].get<double>() == Approx(7.1));
  CHECK(flowers_shown["labels"][2] == json({{"label", 2}, {"name", "virginica"}, {"count", 2}}));
  place.picture("set/a/1.png", 0).picture("set/b/1.png", 255);
  const std::string text = place.run({"data", "show", "set"}).out;
  CHECK(text == "2 pictures of 8 x 8 x 1 pixels; a model is given 0 to 1\nlabel   0 a: 1\nlabel   1 b: 1\n");
  CHECK(contains(place.run({"data", "show", "set/a/1.png"}).out, "no labels"));
  CHECK(contains(place.refusal({"data", "show"}, 2), "FILE is missing"));
  CHECK(contains(place.refusal({"data", "shwo"}, 2),
                 "there are list, fetch, verify and show; did you mean 'show'?"));
  const std::string table = place.run({"data", "show", "flowers.csv"}).out;
  CHECK(contains(table, " rows, as train: {table: flowers.csv}\n"));
  CHECK(contains(table, "kind: a category of "));
  place.text("plain.csv.gz", flowers);
  CHECK(contains(place.run({"data", "show", "plain.csv.gz"}).out, "kind: a category of "));
  place.text("years.csv", "country,2019,2020\nNorway,1,2\nPeru,3,4\nNorway,5,6\n");
  CHECK(contains(place.run({"data", "show", "years.csv"}).err,
                 "the first line is taken for a row, since '2019'"));
  place.text("weights.csv", "size,label\n4,0.5\n2,1.25\n9,7.5\n");
  CHECK(contains(place.run({"data", "show", "weights.csv"}).out, "size, label: a number"));
  place.text("w.yaml", model_of("{train: {images: weights.csv}}", 1));
  CHECK(contains(place.refusal({"w.yaml"}), "holds the label 0.5 in row 0, and labels are classes"));
}

TEST_CASE("pictures of odd sides are halved, doubled and drawn again in their own size") {
  const Place place;
  const std::vector<std::uint8_t> pixels(3 * 23 * 17, 90);
  files::write_npy(place / "odd.npy", files::StoredType::u8, std::vector<std::size_t>{3, 23, 17},
                   std::as_bytes(std::span(pixels)));
  place.text("odd.yaml",
             "graphrun: 1\nname: odd\ndata: {train: {images: odd.npy}}\n"
             "inputs: {x: {shape: [batch, 23, 17, 1]}}\n"
             "nodes:\n  e: {op: conv2d, in: x, channels: 2, kernel: [5, 3], stride: 2}\n"
             "  p: {op: max_pool, in: e, kernel: 2}\n  code: flatten(p)\n"
             "  u: {op: resize, in: p, size: [10, 8]}\n"
             "  recon: {op: conv_transpose2d, in: u, channels: 1, kernel: [5, 3], pad: 0, size: [23, 17]}\n"
             "outputs: {code: code, image: recon}\nloss: {r: {op: mse, in: [recon, x]}}\n"
             "train: {optimizer: {op: sgd, lr: 0.1}, batch: 3, epochs: 1}\n");
  CHECK(place.done({"odd.yaml", "--out", "run"})["train"]["loss"].is_number());
  CHECK(place.done({"reconstruct", "run", "--split", "train"})["count"] == 3);
}

TEST_CASE(
    "pairs from two files: the loss, the errors of reconstructions and files of one's own go with the "
    "targets") {
  const Place place;
  const std::vector<float> noisy = {1, 2, 3, 4};
  const std::vector<float> clean = {1, 2, 3, 6};
  files::write_npy(place / "noisy.npy", files::StoredType::f32, std::vector<std::size_t>{2, 2},
                   std::as_bytes(std::span(noisy)));
  files::write_npy(place / "clean.npy", files::StoredType::f32, std::vector<std::size_t>{2, 2},
                   std::as_bytes(std::span(clean)));
  place.text("pairs.yaml",
             "graphrun: 1\nname: pairs\ndata:\n  train: {images: noisy.npy, targets: clean.npy}\n"
             "  test:  {images: noisy.npy, targets: clean.npy}\n"
             "inputs: {x: {shape: [batch, 2]}, t: {from: targets, shape: [batch, 2]}}\n"
             "nodes:\n  one: {op: param, shape: [2], init: {constant: {value: 1}}}\n  recon: x * one\n"
             "outputs: {code: recon, image: recon}\nloss: {r: {op: mse, in: [recon, t]}}\n"
             "train: {optimizer: {op: sgd, lr: 0}, batch: 2, epochs: 1}\n");
  CHECK(place.done({"pairs.yaml", "--out", "run"})["test"]["loss"] == 1.0);
  place.done({"reconstruct", "run", "--errors", "errors.csv", "--out", "a.csv"});
  CHECK(place.read("errors.csv") == "image,mse\n0,0\n1,2\n");
  place.done({"reconstruct", "run", "--images", "noisy.npy", "--targets", "noisy.npy", "--errors",
              "errors.csv", "--out", "b.csv"});
  CHECK(place.read("errors.csv") == "image,mse\n0,0\n1,0\n");
  const ProcessResult alone = place.run({"eval", "run", "--images", "noisy.npy"});
  CHECK(alone.exit_code == 2);
  CHECK(contains(alone.err,
                 "input 't' is needed and not given; it is what the images are to become: "
                 "`targets:` beside `images:` under `data:`, or --targets FILE, gives it"));
}

TEST_CASE("pairs of two sizes are drawn side by side, and compared with what they are to become") {
  const Place place;
  const std::vector<std::uint8_t> small(2 * 64, 100);
  std::vector<std::uint8_t> large(2 * 256, 100);
  std::fill(large.begin() + 256, large.end(), 151);
  files::write_npy(place / "small.npy", files::StoredType::u8, std::vector<std::size_t>{2, 8, 8},
                   std::as_bytes(std::span(small)));
  files::write_npy(place / "large.npy", files::StoredType::u8, std::vector<std::size_t>{2, 16, 16},
                   std::as_bytes(std::span(large)));
  place.text("larger.yaml",
             "graphrun: 1\nname: larger\ndata: {train: {images: small.npy, targets: large.npy}}\n"
             "inputs: {x: {shape: [batch, 8, 8, 1]}, t: {from: targets, shape: [batch, 16, 16, 1]}}\n"
             "nodes:\n  one: {op: param, shape: [1], init: {constant: {value: 1}}}\n"
             "  wide: {op: resize, in: x, size: [16, 16]}\n  recon: wide * one\n"
             "outputs: {image: recon}\nloss: {r: {op: mse, in: [recon, t]}}\n"
             "train: {optimizer: {op: sgd, lr: 0}, batch: 2, epochs: 1}\n");
  place.done({"larger.yaml", "--out", "run"});
  const json drawn = place.done({"reconstruct", "run", "--split", "train"});
  CHECK(drawn["file"] == "run/reconstruction.png");
  CHECK(drawn["mse"].get<double>() == Approx(0.02));
  // Below each other, each of sixteen pixels that are magnified twice: input, reconstruction, target.
  for (const char* sheet : {"run/reconstruction.png", "run/images/reconstruction.png"}) {
    const files::Image picture = files::read_png(place / sheet);
    CHECK(picture.width == 2 + 2 * 34);
    CHECK(picture.height == 2 + 3 * 34);
    const auto pixel = [&](std::size_t row, std::size_t column) {
      return int{picture.pixels[(row * 34 + 17) * picture.width + column * 34 + 17]};
    };
    CHECK(pixel(0, 1) == 100);
    CHECK(pixel(1, 1) == 100);
    CHECK(pixel(2, 1) == 151);
  }
  CHECK(contains(place.read("run/report.html"), "\"name\": \"target\""));
  const json ranked = place.done({"reconstruct", "run", "--split", "train", "--rank", "worst"});
  CHECK(ranked["ranked"][0]["image"] == 1);
  CHECK(ranked["ranked"][0]["mse"].get<double>() == Approx(0.04));
  // Nobody knows what new ones are to become.
  const json alone = place.done({"reconstruct", "run", "--images", "small.npy", "--out", "new.png"});
  CHECK(alone["mse"].is_null());
  CHECK(files::read_png(place / "new.png").height == 2 + 2 * 34);
  CHECK(contains(place.refusal({"reconstruct", "run", "--images", "small.npy", "--errors", "e.csv"}, 2),
                 "errors are measured against: --targets FILE gives it"));
}

TEST_CASE("numbers that are foretold come beside what they were told from, and what they are to be") {
  const Place place;
  const std::vector<float> past = {1, 2, 3, 4, 5, 6};
  const std::vector<float> next = {4, 0.5F, 7, 0.25F};
  files::write_npy(place / "past.npy", files::StoredType::f32, std::vector<std::size_t>{2, 3},
                   std::as_bytes(std::span(past)));
  files::write_npy(place / "next.npy", files::StoredType::f32, std::vector<std::size_t>{2, 2},
                   std::as_bytes(std::span(next)));
  const auto model = [](const std::string& loss) {
    return "graphrun: 1\nname: next\ndata: {train: {images: past.npy, targets: next.npy}}\n"
           "inputs: {x: {shape: [batch, 3]}, t: {from: targets, shape: [batch, 2]}}\n"
           "nodes:\n  w: {op: param, shape: [3, 2], init: zeros}\n  guess: x @ w\n"
           "outputs: {image: guess}\nloss: {r: \"" +
           loss + "\"}\ntrain: {optimizer: {op: sgd, lr: 0}, batch: 2, epochs: 1}\n";
  };
  place.text("next.yaml", model("sum(abs(guess - t), axis=1)"));
  place.done({"next.yaml", "--out", "run"});
  const json drawn = place.done({"reconstruct", "run", "--split", "train", "--errors", "errors.csv"});
  CHECK(drawn["file"] == "run/reconstruction.npy");
  CHECK(drawn["mse"].get<double>() == Approx((16 + 0.25 + 49 + 0.0625) / 4));
  CHECK(files::read_npy(place / "run/reconstruction.npy").shape == std::vector<std::size_t>{2, 2});
  CHECK(place.read("errors.csv") == "image,mse\n0,8.125\n1,24.53125\n");
  place.done({"reconstruct", "run", "--split", "train", "--out", "next.csv"});
  CHECK(place.read("next.csv") ==
        "image_0,image_1,input_0,input_1,input_2,target_0,target_1\n0,0,1,2,3,4,0.5\n0,0,4,5,6,7,0.25\n");
  CHECK(contains(place.refusal({"reconstruct", "run", "--split", "train", "--out", "next.png"}, 2),
                 "its rows are no pictures; --out FILE.npy or FILE.csv writes the values"));
  // A loss that compares in a way of its own: what the file says is what it is to be like.
  place.text("own.yaml", model("(sum(guess, axis=1) - sum(t, axis=1)) ** 2"));
  place.done({"own.yaml", "--out", "own"});
  CHECK(place.done({"reconstruct", "own", "--split", "train"})["mse"] == drawn["mse"]);
  std::string nothing = model("sum(guess ** 2, axis=1)");
  nothing.erase(nothing.find(", targets: next.npy"), 19);
  nothing.erase(nothing.find(", t: {from"), 39);
  place.text("nothing.yaml", nothing);
  place.done({"nothing.yaml", "--out", "nothing"});
  CHECK(contains(place.refusal({"reconstruct", "nothing", "--split", "train"}, 2),
                 "output 'image' has 2 values an image, and the images have 3: there is nothing to compare"));
}

TEST_CASE("an input that the data have nothing for is told with what gives it, before anything is learnt") {
  const Place place;
  const std::vector<float> values = {1, 2, 3, 4};
  files::write_npy(place / "a.npy", files::StoredType::f32, std::vector<std::size_t>{2, 2},
                   std::as_bytes(std::span(values)));
  const auto refused = [&](const std::string& data, const std::string& input) {
    place.text("m.yaml", "graphrun: 1\nname: m\ndata: " + data +
                             "\ninputs:\n  x: {shape: [batch, 2]}\n  y: " + input +
                             "\nnodes: {recon: {op: dense, in: x, units: 2}}\noutputs: {image: recon}\n"
                             "loss: {r: \"sum((recon - x) ** 2, axis=1) + sum(reshape(y, shape=[batch, -1]), "
                             "axis=1)\"}\n"
                             "train: {optimizer: sgd, batch: 2, epochs: 1}\n");
    const std::string told = place.refusal({"m.yaml", "--out", "run"}, 2);
    CHECK(!fs::exists(place / "run"));
    CHECK(contains(told, "m.yaml:6:3: error: input 'y' is needed and not given; "));
    return told;
  };
  CHECK(contains(refused("{train: {images: a.npy}}", "{from: targets, shape: [batch, 2]}"),
                 "it is what the images are to become: `targets:` beside `images:` under `data:`"));
  CHECK(contains(refused("{train: {images: a.npy, targets: a.npy}, test: {images: a.npy}}",
                         "{from: targets, shape: [batch, 2]}"),
                 "`targets:` beside `images:` under `data:`"));
  CHECK(contains(refused("{train: {images: a.npy}}", "{from: array, name: month, shape: [batch]}"),
                 "an array gives it: `arrays: {month: FILE}` beside `images:` under `data:`"));
}
