// Probes against answers that are known.
#include <cmath>
#include <random>

#include "files/file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/phased_model.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/learn/definition.hpp"
#include "train/measure/code_figures.hpp"
#include "train/measure/detection.hpp"
#include "train/measure/probes.hpp"

using namespace graphrun;
using namespace graphrun::testing;
using namespace graphrun::train;

namespace {

/// `each` points around each of three corners of a square, `spread` wide; labels tell the corner.
LabelledCodes corners(int each, double spread, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> around(0, spread);
  LabelledCodes codes{.width = 2, .codes = {}, .labels = {}};
  for (int i = 0; i < each; ++i)
    for (const std::int32_t corner : {0, 1, 2}) {
      codes.codes.push_back(static_cast<float>((corner == 1 ? 10 : 0) + around(random)));
      codes.codes.push_back(static_cast<float>((corner == 2 ? 10 : 0) + around(random)));
      codes.labels.push_back(corner);
    }
  return codes;
}

}  // namespace

TEST_CASE("nearest neighbours vote") {
  const LabelledCodes known{.width = 1, .codes = {0, 1, 2, 10, 11}, .labels = {4, 4, 7, 7, 7}};
  const LabelledCodes asked{.width = 1, .codes = {0.4F, 1.6F, 9}, .labels = {4, 7, 7}};
  CHECK(knn_accuracy(known, asked, 1) == 1);
  // Three: 0.4 -> {0, 1, 2} says 4; 1.6 -> {1, 2, 0} says 4, which is wrong; 9 -> {10, 11, 2} says 7.
  CHECK(knn_accuracy(known, asked, 3) == Approx(2.0 / 3));
  // All five: 7 everywhere.
  CHECK(knn_accuracy(known, asked, 5) == Approx(2.0 / 3));
  CHECK(knn_accuracy(known, asked, 100) == Approx(2.0 / 3));
  // Of equal votes the smaller label, of equally near ones the earlier.
  const LabelledCodes pair{.width = 1, .codes = {-1, 1}, .labels = {9, 3}};
  CHECK(knn_accuracy(pair, {.width = 1, .codes = {0}, .labels = {3}}, 2) == 1);
  CHECK(knn_accuracy(pair, {.width = 1, .codes = {0}, .labels = {9}}, 1) == 1);
}

TEST_CASE("distances are right at every width") {
  for (const std::int64_t width : {1, 7, 8, 9, 16, 31}) {
    INFO(width);
    LabelledCodes known{.width = width, .codes = {}, .labels = {0, 1}};
    known.codes.resize(static_cast<std::size_t>(2 * width));
    known.codes.back() = 1;  // only the last unit tells them apart
    LabelledCodes asked{.width = width, .codes = {}, .labels = {1}};
    asked.codes.resize(static_cast<std::size_t>(width));
    asked.codes.back() = 0.6F;
    CHECK(knn_accuracy(known, asked, 1) == 1);
  }
}

TEST_CASE("a linear probe reads what a line can tell, and no more") {
  CHECK(linear_accuracy(corners(100, 1, 1), corners(30, 1, 2)) > 0.99);
  // Exclusive or of two signs: no line separates it.
  std::mt19937_64 random(3);
  std::uniform_real_distribution<float> unit(-1, 1);
  LabelledCodes codes{.width = 2, .codes = {}, .labels = {}};
  for (int i = 0; i < 600; ++i) {
    const float a = unit(random);
    const float b = unit(random);
    codes.codes.insert(codes.codes.end(), {a, b});
    codes.labels.push_back((a > 0) != (b > 0) ? 1 : 0);
  }
  CHECK(linear_accuracy(codes, codes) < 0.65);
  CHECK(linear_accuracy(codes, codes) == linear_accuracy(codes, codes));
}

TEST_CASE("clusters are compared with labels") {
  CHECK(kmeans_nmi(corners(50, 0.5, 1), 3) == Approx(1));
  CHECK(kmeans_nmi(corners(50, 0.5, 1), 0) == Approx(1));
  CHECK(kmeans_nmi(corners(50, 0.5, 1), 1) == Approx(0).margin(1e-12));
  LabelledCodes mixed = corners(300, 0.5, 1);
  std::mt19937_64 random(2);
  for (std::int32_t& label : mixed.labels) label = static_cast<std::int32_t>(random() % 3);
  CHECK(kmeans_nmi(mixed, 3) < 0.02);
  // Two of three corners in one cluster: I = log 3 - 2/3 log 2, the entropies are those of 1/3, 2/3 and of
  // thirds.
  const double of_clusters = std::log(3) - 2.0 / 3 * std::log(2);
  CHECK(kmeans_nmi(corners(50, 0.5, 1), 2) == Approx(of_clusters / ((of_clusters + std::log(3)) / 2)));
}

TEST_CASE("units that vary are active") {
  LabelledCodes codes{.width = 3, .codes = {}, .labels = {}};
  for (int i = 0; i < 100; ++i)
    codes.codes.insert(codes.codes.end(), {i % 2 == 0 ? 1.0F : -1.0F, 5.0F, i % 2 == 0 ? 0.0F : 0.1F});
  CHECK(active_units(codes, 0.01) == 1);
  CHECK(active_units(codes, 0.001) == 2);
}

TEST_CASE("probes of a model run by name, in its order") {
  const std::string probes =
      "  near: {probe: knn, in: [code, y], k: 3, first: 500}\n"
      "  line: {probe: linear, in: [code, y], first: 500}\n"
      "  groups: {probe: kmeans, in: [code, y]}\n"
      "  used: {probe: active_units, in: code, above: 1.0e-9}\n";
  const auto model = parse_definition(phased_model("  epochs: 1\n", probes), "phased.yaml");
  const Dataset data = load_model_data(*model);
  const Examples known = bind_images(*model, std::make_shared<const ImageSet>(data.train));
  Examples asked = bind_images(*model, std::make_shared<const ImageSet>(data.test));
  Learner learner(model, {});
  learner.initialise();
  const std::vector<Figure> figures = run_probes(learner, known, asked);
  REQUIRE(figures.size() == 4);
  CHECK(figures[0].name == "near");
  CHECK((figures[0].value > 0.3 && figures[0].value < 0.9));
  CHECK((figures[1].value > 0.3 && figures[1].value < 0.9));
  CHECK((figures[2].value > 0.1 && figures[2].value < 0.9));
  CHECK(figures[3].value == 6);
  asked.columns.erase("y");
  CHECK(throws([&] { run_probes(learner, known, asked); }, ErrorCode::data, "the probe 'near' needs labels"));
}

TEST_CASE("what classes are taken for is counted, and told class by class") {
  // Scores of three classes, by rows: 0 and 0 are right, 1 is taken for 2, 2 is right, a label beyond is left
  // out.
  const std::vector<float> scores = {3, 1, 0, 2, 2, 0, 0, 1, 5, 0, 0, 1, 1, 0, 0};
  const std::vector<std::int32_t> labels = {0, 0, 1, 2, 7};
  const Confusion found = confusion(scores, labels, 3);
  CHECK(found.counts == std::vector<std::int64_t>{2, 0, 0, 0, 0, 1, 0, 0, 1});
  CHECK(found.accuracy() == 0.75);
  CHECK(found.f1(0) == 1);
  CHECK(found.f1(1) == 0);
  CHECK(found.f1(2) == Approx(2.0 / 3));
  CHECK(found.mean_f1() == Approx(5.0 / 9));
  CHECK(std::isnan(confusion(std::vector<float>{1, 0}, std::vector<std::int32_t>{0}, 2).f1(1)));
}

TEST_CASE("curves of a detection begin at nothing and end at all, equal scores together") {
  const DetectionCurves curves =
      detection_curves(std::vector<double>{5, 4, 4, 1}, {true, false, true, false});
  REQUIRE(curves.roc.size() == 4);
  CHECK((curves.roc[1].x == 0 && curves.roc[1].y == 0.5));
  CHECK((curves.roc[2].x == 0.5 && curves.roc[2].y == 1));
  CHECK((curves.roc[3].x == 1 && curves.roc[3].y == 1));
  CHECK((curves.precision[0].x == 0 && curves.precision[0].y == 1));
  CHECK((curves.precision[2].x == 1 && curves.precision[2].y == Approx(2.0 / 3)));
}

TEST_CASE("rows are compared column by column in the units of their table, where cells are there") {
  const TemporaryFolder folder;
  files::write_text_file(folder / "t.csv", "a,kind,b\n10,x,1\n20,y,\n30,x,5\n40,y,3\n");
  const auto model = parse_definition(
      "graphrun: 1\nname: m\ndata: {train: {table: " + (folder / "t.csv").string() +
          "}, missing: mask}\ninputs: {x: {from: cells}, seen: {from: mask}, y: {from: labels}}\n"
          "nodes:\n  row: 0 * x\n  score: \"sum(x, axis=1)\"\n  logits: {op: concat, in: [x, x]}\n"
          "metrics:\n  mae: {probe: mae, in: [row, x]}\n  rmse: {probe: rmse, in: [row, x]}\n"
          "  r2: {probe: r2, in: [row, x]}\n",
      "m.yaml");
  const Dataset data = load_model_data(*model);
  const Examples rows = bind_images(*model, std::make_shared<const ImageSet>(data.train));
  Learner learner(model, {});
  learner.initialise();
  const Figures figures{rows.count, run_probes(learner, rows, rows)};
  // A standardised cell of 0 is the mean of its column.
  CHECK(figures.at("mae.a") == Approx(10));
  CHECK(figures.at("mae.b") == Approx(4.0 / 3));
  CHECK(figures.at("rmse.a") == Approx(std::sqrt(125.0)));
  CHECK(figures.at("r2.a") == Approx(0).margin(1e-6));
  CHECK(!figures.find("mae.kind"));
  // Four cells of `a`, three of `b` and eight of a category, of which half are 1.
  CHECK(figures.at("rmse") == Approx(std::sqrt((4 + 3 + 4) / 15.0)));
}

TEST_CASE("the best F1 comes with its threshold") {
  const TemporaryFolder folder;
  files::write_text_file(folder / "t.csv", "a,odd\n1,0\n2,0\n3,1\n4,1\n");
  const auto model = parse_definition(
      "graphrun: 1\nname: m\ndata: {train: {table: " + (folder / "t.csv").string() +
          ", label: odd}, columns: {numbers: {as_is: [a]}}}\ninputs: {x: {from: cells}, y: {from: labels}}\n"
          "nodes: {score: \"sum(x, axis=1)\"}\nmetrics: {f1: {probe: f1, in: [score, y]}}\n",
      "m.yaml");
  const Dataset data = load_model_data(*model);
  const Examples rows = bind_images(*model, std::make_shared<const ImageSet>(data.train));
  Learner learner(model, {});
  const Figures figures{rows.count, run_probes(learner, rows, rows)};
  CHECK(figures.at("f1") == 1);
  CHECK(figures.at("f1.threshold") == 2.5);
}
