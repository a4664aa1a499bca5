// Models that learn from tables, through the program: training, scores, predictions, streams.
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/workplace.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun::testing;
using nlohmann::json;

namespace {

/// Two numbers of which one is twice the other, and a kind; in a few new rows they are not.
class TablePlace : public Workplace {
 public:
  TablePlace() {
    write("train.csv", rows(0, 200));
    std::string lines = rows(200, 60);
    lines.insert(lines.find('\n'), ",state");
    std::string labelled;
    std::stringstream text(lines);
    std::string line;
    for (int row = 0; std::getline(text, line); ++row) labelled += line + (row == 0 ? "" : ",fine") + "\n";
    write("new.csv", labelled + "900,3,-6,x,odd\n901,-2,8,y,odd\n");
    write("model.yaml", model(""));
  }

  static std::string rows(int first, int count) {
    std::string text = "id,a,b,kind\n";
    for (int row = first; row < first + count; ++row) {
      const double a = (row * 37 % 101 - 50) / 10.0;
      text += std::to_string(row) + "," + std::to_string(a) + "," + std::to_string(2 * a) + "," +
              (row % 3 == 0 ? "x" : "y") + "\n";
    }
    return text;
  }

  static std::string model(const std::string& data) {
    return "graphrun: 1\nname: pair\ndata:\n  train: {table: train.csv}\n  split: {validation: 0.2}\n" +
           data +
           "inputs: {x: {from: cells}}\n"
           "nodes:\n  code: {op: dense, in: x, units: 2}\n  row: {op: dense, in: code, units: \"$(dim(x, "
           "-1))\"}\n"
           "outputs: {code: code, row: row}\nloss: {r: {op: mse, in: [row, x]}}\n"
           "train: {optimizer: {op: adam, lr: 0.01}, batch: 16, epochs: 40, seed: 1}\n";
  }

  std::vector<std::string> lines_of(const std::string& name) const {
    std::ifstream file(*this / name);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

  void train() const {
    const ProcessResult result = run({"model.yaml", "--out", "run", "-q"});
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
  }
};

}  // namespace

TEST_CASE("a table is learnt from, and what its columns are is said") {
  const TablePlace place;
  const ProcessResult result = place.run({"model.yaml", "--out", "run"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(contains(result.err, "160 rows of train.csv, 40 to validate with"));
  CHECK(contains(result.err, "id: ignored; a, b: a number, standardise; kind: a category of 2"));
  CHECK(contains(result.err, "validation loss"));
  CHECK(contains(result.err, "rows/s"));
  CHECK(!contains(result.err + result.out, "image"));
  CHECK(contains(result.out, "valid   loss"));
  // Scores of the rows that it has learnt from would say nothing, and no cell is missing.
  CHECK(!contains(result.out, " score "));
  CHECK(!contains(result.out, " predict "));
  CHECK(contains(place.lines_of("run/metrics.csv").front(), ",rows_per_second,"));
  CHECK(contains(place.lines_of("run/metrics.csv").front(), "validation.loss"));
  const json measured = place.run_json({"eval", "run", "--split", "validation"});
  CHECK(measured.at("count") == 40);
  CHECK(place.run({"eval", "run"}).exit_code == 4);
}

TEST_CASE("what is offered after learning from a table works") {
  const TablePlace place;
  place.write("new data.csv", "id,a,b,kind,state\n1,2,4,x,fine\n2,3,-6,y,odd\n3,1,2,y,fine\n");
  std::string text = TablePlace::model("  missing: mean\n");
  text.replace(text.find("\n  split"), 1, "\n  test: {table: new data.csv, label: state}\n");
  place.write("tested.yaml", text);
  const auto offered = [&](const std::string& model, const std::string& run) {
    const ProcessResult result = place.run({model, "--out", run, "--set", "train.epochs=1"});
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    const std::string lines = result.out.substr(result.out.find("next:\n") + 6);
    ProcessOptions options;
    options.folder = place.folder();
    const ProcessResult done = run_process({"/bin/sh", "-c", "set -e\n" + lines}, options);
    INFO(lines << done.err);
    CHECK(done.exit_code == 0);
    CHECK(!contains(done.out, "image"));
    return lines;
  };
  const std::string rows = offered("tested.yaml", "rows");
  CHECK(contains(rows, " score rows "));
  CHECK(contains(rows, "/new data.csv'\n"));
  CHECK(contains(rows, " predict rows "));
  CHECK(contains(rows, "/train.csv --fill\n"));
  text.replace(text.find("  split"), 0, "  windows: {size: 3}\n");
  text.replace(text.find("in: x,"), 5, "in: flat");
  text.replace(text.find("  code:"), 0, "  flat: {op: flatten, in: x}\n");
  text.replace(text.find("dim(x, -1)"), 10, "dim(flat, -1)");
  text.replace(text.find("[row, x]"), 8, "[row, flat]");
  place.write("series.yaml", text);
  const std::string windows = offered("series.yaml", "windows");
  CHECK(contains(windows, " score windows "));
  CHECK(contains(
      place.run({"score", "windows", "train.csv", "--out", "s.csv"}).err,
      "1 % cannot be told by 40 rows in windows of 3, of which 13 stand beside each other: one in 14"));
  CHECK(!contains(windows, " predict "));
  CHECK(contains(place.lines_of("windows/metrics.csv").front(), ",windows_per_second,"));
}

TEST_CASE("rows are scored, with the columns that make them odd") {
  const TablePlace place;
  place.train();
  const json result = place.run_json({"score", "run", "new.csv", "--label", "state", "--out", "scores.csv"});
  CHECK(result.at("count") == 62);
  CHECK(result.at("odd") == "odd");
  CHECK(result.at("roc_auc") == 1.0);
  CHECK(result.at("average_precision") == 1.0);
  const std::vector<std::string> lines = place.lines_of("scores.csv");
  CHECK(lines.front() == "id,a,b,kind,state,score,flagged,because,score.a,score.b,score.kind");
  REQUIRE(lines.size() == 63);
  CHECK(lines[61].starts_with("900,3,-6,x,odd,"));
  CHECK(contains(lines[61], ",1,"));
  const json best = place.run_json(
      {"score", "run", "new.csv", "--label", "state", "--threshold", "f1", "--out", "best.csv"});
  CHECK(best.at("flagged") == 2);
  CHECK(place.run_json({"score", "run", "new.csv", "--label", "state", "--threshold", "1e9"}).at("flagged") ==
        0);
}

TEST_CASE("a score depends neither on the rows beside it nor on the order of columns") {
  const TablePlace place;
  place.train();
  place.run_json({"score", "run", "new.csv", "--ignore", "state", "--out", "all.csv"});
  place.write("alone.csv", "kind,b,a\nx,-6,3\n");
  place.run_json({"score", "run", "alone.csv", "--out", "one.csv"});
  const auto score_of = [](const std::string& line, std::size_t skipped) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < skipped; ++i) at = line.find(',', at) + 1;
    return line.substr(at, line.find(',', at) - at);
  };
  CHECK(score_of(place.lines_of("all.csv")[61], 5) == score_of(place.lines_of("one.csv")[1], 3));
  ProcessOptions options;
  options.folder = place.folder();
  const ProcessResult stream =
      run_process({"/bin/sh", "-c",
                   "printf 'kind,b,a\\nx,-6,3\\ny,1,0.5\\n' | " + program_path() + " score run - --follow"},
                  options);
  INFO(stream.err);
  CHECK(stream.exit_code == 0);
  CHECK(
      stream.out.starts_with("score,flagged,because\n" + score_of(place.lines_of("one.csv")[1], 3) + ",1,"));
}

TEST_CASE("a table in several files is learnt and scored as one") {
  const TablePlace place;
  std::filesystem::create_directory(place / "days");
  place.write("days/1.csv", TablePlace::rows(0, 90));
  place.write("days/2.csv", TablePlace::rows(90, 110));
  const json whole = place.run_json({"model.yaml", "--out", "whole"});
  const json parts = place.run_json({"model.yaml", "--out", "parts", "--set", "data.train.table=days"});
  CHECK(parts.at("digest") == whole.at("digest"));
  CHECK(place.run_json({"score", "parts", "days", "--out", "parts.csv"}).at("count") == 200);
  place.run_json({"score", "whole", "train.csv", "--out", "whole.csv"});
  CHECK(place.lines_of("parts.csv") == place.lines_of("whole.csv"));
  CHECK(contains(place.run({"data", "show", "days"}).out, "200 rows, as train: {table: days}\n"));
  std::filesystem::remove(place / "days/1.csv");
  place.write("days/2.csv", "a,b\n1,2\n3,5\n2,8\n");
  CHECK(contains(place.run({"data", "show", "days"}).out, "a, b: a number, standardise"));
}

TEST_CASE("a stream of rows ends with whoever reads the answers") {
  const TablePlace place;
  place.train();
  ProcessOptions options;
  options.folder = place.folder();
  const ProcessResult stream = run_process({"/bin/sh", "-c",
                                            "(echo kind,b,a; timeout 60 yes x,-6,3; echo $? >fed) | " +
                                                program_path() + " score run - --follow | head -2"},
                                           options);
  CHECK(stream.exit_code == 0);
  CHECK(place.lines_of("fed").front() != "124");  // what feeds it has not run out of time
}

TEST_CASE("rows are reconstructed by the names and in the units of their columns, and so are errors") {
  const TablePlace place;
  place.train();
  const json result =
      place.run_json({"reconstruct", "run", "--table", "new.csv", "--label-column", "state", "--errors",
                      "errors.csv", "--rank", "worst", "--anomaly", "odd", "--out", "drawn.csv"});
  CHECK(result.at("count") == 62);
  CHECK(result.at("roc_auc") == 1.0);
  CHECK(result.at("ranked").size() == 32);
  const int worst = result.at("ranked")[0].at("row");
  CHECK(worst >= 61);
  const std::vector<std::string> drawn = place.lines_of("drawn.csv");
  const std::vector<std::string> errors = place.lines_of("errors.csv");
  CHECK(drawn.front() == "row_number,a,b,kind");
  CHECK(errors.front() == "row_number,mse,label,error.a,error.b,error.kind");
  REQUIRE(drawn.size() == 63);
  REQUIRE(errors.size() == 63);
  const auto cells = [](const std::string& line) {
    std::vector<std::string> all;
    std::stringstream text(line);
    for (std::string cell; std::getline(text, cell, ',');) all.push_back(cell);
    return all;
  };
  const std::vector<std::string> row = cells(drawn[61]);  // a is 3, b is -6, kind is x
  const std::vector<std::string> error = cells(errors[61]);
  CHECK(error[2] == "odd");
  CHECK(std::abs(std::stod(row[1]) - 3 - std::stod(error[3])) < 1e-5);
  CHECK(std::abs(std::stod(row[2]) + 6 - std::stod(error[4])) < 1e-5);
  CHECK(std::stod(error[5]) == (row[3] == "x" ? 0 : 1));
  const ProcessResult text =
      place.run({"reconstruct", "run", "--table", "new.csv", "--label-column", "state", "--rank", "worst"});
  CHECK(contains(text.out, "62 rows of new.csv, mean squared error of a scaled cell "));
  CHECK(contains(text.out, "  label odd  "));
  CHECK(contains(text.out, " instead of "));
  CHECK(place.lines_of("run/reconstruction.csv").size() == 63);
  CHECK(place.run_json({"reconstruct", "run", "--split", "validation", "--first", "3", "--out", "r.npy"})
            .at("count") == 3);
  CHECK(contains(
      place.run({"reconstruct", "run", "--table", "new.csv", "--label-column", "state", "--out", "r.png"})
          .err,
      "the name must end in .npy or .csv"));
}

TEST_CASE("a missing cell has no error, and adds none") {
  const TablePlace place;
  place.write("filled.yaml", TablePlace::model("  missing: mask\n"));
  REQUIRE(place.run({"filled.yaml", "--out", "run", "-q"}).exit_code == 0);
  place.write("holes.csv", "a,b,kind\n,2,x\n,,\n");
  place.run_json({"reconstruct", "run", "--table", "holes.csv", "--errors", "errors.csv"});
  const std::vector<std::string> errors = place.lines_of("errors.csv");
  CHECK(contains(errors[1], ",,"));
  CHECK(errors[2] == "2,0,,,");
}

TEST_CASE("rows come back by the names and in the units of their columns") {
  const TablePlace place;
  place.train();
  place.write("holes.csv", "b;kind;a\n-6,0;x;-3,0\n4,0;y;\n");
  CHECK(place.run({"predict", "run", "holes.csv"}).exit_code == 4);
  place.write("model.yaml", TablePlace::model("  missing: mean\n"));
  place.write("filled.yaml", TablePlace::model("  missing: mean\n"));
  const ProcessResult trained = place.run({"filled.yaml", "--out", "filled", "-q"});
  REQUIRE(trained.exit_code == 0);
  place.run_json({"predict", "filled", "holes.csv", "--fill", "--out", "whole.csv"});
  const std::vector<std::string> whole = place.lines_of("whole.csv");
  CHECK(whole[0] == "b,kind,a");
  CHECK(whole[1] == "-6.0,x,-3.0");
  CHECK(whole[2].starts_with("4.0,y,"));
  CHECK(whole[2].size() > 6);
  place.run_json(
      {"predict", "filled", "new.csv", "--label", "state", "--output", "row,code", "--out", "p.csv"});
  const std::vector<std::string> lines = place.lines_of("p.csv");
  CHECK(lines.front() == "id,state,a,b,kind,code_0,code_1");
  CHECK(lines.size() == 63);
}

TEST_CASE("outputs of more rows than are run at once are those of each row alone") {
  const TablePlace place;
  place.train();
  place.write("many.csv", TablePlace::rows(0, 64'500));  // over the end of the first block
  place.write("last.csv", TablePlace::rows(64'499, 1));
  // Of oneDNN's products, bits follow the number of rows.
  for (const std::string name : {"many", "last"}) {
    place.run_json({"predict", "run", name + ".csv", "--output", "row,code", "--out", name + ".out.csv",
                    "--provider", "tiles"});
    place.run_json(
        {"predict", "run", name + ".csv", "--output", "code", "--out", name + ".npy", "--provider", "tiles"});
  }
  const std::vector<std::string> many = place.lines_of("many.out.csv");
  REQUIRE(many.size() == 64'501);
  CHECK(many.back() == place.lines_of("last.out.csv").back());
  CHECK(many[1].starts_with("0,"));
  std::ifstream all(place / "many.npy", std::ios::binary);
  std::ifstream one(place / "last.npy", std::ios::binary);
  const std::string values{std::istreambuf_iterator<char>(all), {}};
  const std::string last{std::istreambuf_iterator<char>(one), {}};
  REQUIRE(values.size() == 128 + std::size_t{64'500} * 8);
  CHECK(contains(values, "(64500, 2)"));
  CHECK(values.substr(values.size() - 8) == last.substr(last.size() - 8));
}

TEST_CASE("a number is predicted in its unit, and a class by its name") {
  const TablePlace place;
  const std::string head =
      "graphrun: 1\nname: guess\ndata: {train: {table: train.csv}, split: {test: 0.2}, columns: ";
  const std::string tail =
      "outputs: {target: y}\ntrain: {optimizer: {op: adam, lr: 0.02}, batch: 16, epochs: 60}\n";
  place.write("number.yaml", head +
                                 "{numbers: {standardise: [b]}, target: b}}\n"
                                 "inputs: {x: {from: cells}, t: {from: target}}\n"
                                 "nodes:\n  one: {op: dense, in: x, units: 1}\n"
                                 "  y: {op: reshape, in: one, shape: [batch]}\nloss: {e: (y - t) ** 2}\n" +
                                 tail);
  const json number = place.run_json({"number.yaml", "--out", "number"});
  CHECK(number.at("test").at("loss").get<double>() < 1e-3);
  place.write("ask.csv", "a,kind\n4,x\n");
  place.run_json({"predict", "number", "ask.csv", "--out", "n.csv"});
  CHECK(contains(place.run({"reconstruct", "number", "--split", "test"}).err,
                 "model 'guess' draws no rows: it has no output `row`; `graphrun predict` writes"));
  CHECK(place.lines_of("n.csv")[0] == "row_number,b");
  CHECK(std::abs(std::stod(place.lines_of("n.csv")[1].substr(2)) - 8) < 0.3);
  place.write("class.yaml", head +
                                "{target: kind}}\ninputs: {x: {from: cells}, t: {from: target}}\n"
                                "nodes:\n  y: {op: dense, in: x, units: 2}\n"
                                "loss: {e: {op: cross_entropy, in: [y, t]}}\n" +
                                tail);
  place.run_json({"class.yaml", "--out", "class"});
  place.write("ask.csv", "a,b\n4,8\n");
  place.run_json({"predict", "class", "ask.csv", "--out", "c.csv"});
  CHECK(place.lines_of("c.csv")[0] == "row_number,kind,target_x,target_y");
  CHECK(place.lines_of("c.csv")[1].starts_with("1,y,"));
}

TEST_CASE("classes are measured one by one, and the best state is the one that the figure asks for") {
  const TablePlace place;
  place.write(
      "class.yaml",
      "graphrun: 1\nname: guess\n"
      "data: {train: {table: train.csv}, split: {validation: 0.2, test: 0.2}, columns: {target: kind}}\n"
      "inputs: {x: {from: cells}, t: {from: target}}\n"
      "nodes:\n  y: {op: dense, in: x, units: 2}\nloss: {e: {op: cross_entropy, in: [y, t]}}\n"
      "metrics: {taken: {probe: confusion, in: [y, t]}}\noutputs: {target: y}\n"
      "train: {optimizer: {op: adam, lr: 0.02}, batch: 16, epochs: 6, "
      "stop: {metric: taken, best: highest, patience: 5}}\n");
  const ProcessResult trained = place.run({"class.yaml", "--out", "run"});
  INFO(trained.err);
  REQUIRE(trained.exit_code == 0);
  CHECK(contains(trained.out, "\ntaken  f1 "));
  CHECK(contains(trained.out, " f1.x "));
  CHECK(std::filesystem::exists(place / "run/images/classes.png"));
  // The share that is right on validation rows: the best state has the highest of the run.
  double highest = 0;
  const std::vector<std::string> lines = place.lines_of("run/metrics.csv");
  REQUIRE(lines.front().ends_with(",validation.taken"));
  for (std::size_t i = 1; i < lines.size(); ++i)
    highest = std::max(highest, std::stod(lines[i].substr(lines[i].rfind(',') + 1)));
  const json best = place.run_json({"eval", "run", "--best", "--split", "validation"});
  CHECK(best.at("taken").get<double>() == highest);
  const json measured = place.run_json({"eval", "run"});
  CHECK(measured.contains("taken.f1.y"));
  const json& taken = measured.at("confusion").at("taken");
  CHECK(taken.at("classes") == json::parse(R"(["x", "y"])"));
  int counted = 0;
  for (const json& row : taken.at("counts"))
    for (const json& count : row) counted += count.get<int>();
  CHECK(counted == measured.at("count"));
  const ProcessResult shown = place.run({"eval", "run"});
  CHECK(contains(shown.out, "taken, row by row what it is"));
}

TEST_CASE("to stop by what validation rows cannot tell is refused") {
  const TablePlace place;
  std::string text = TablePlace::model("");
  text.replace(text.find("train: {table: train.csv}"), 25,
               "train: {table: train.csv}\n  test: {table: new.csv, label: state}");
  text.replace(text.find("inputs: {x"), 10, "inputs: {odd: {from: labels}, x");
  text.replace(text.find("train: {opt"), 0,
               "metrics: {auc: {probe: roc_auc, in: [\"sum(x, axis=1)\", odd]}}\n");
  text.replace(text.find("seed: 1"), 7, "seed: 1, stop: {metric: auc, best: highest, patience: 2}");
  place.write("stops.yaml", text);
  const ProcessResult result = place.run({"stops.yaml"});
  CHECK(result.exit_code == 4);
  CHECK(
      contains(result.err, "`stop:` waits for 'auc', which needs 'odd', and the validation data have none"));
}

TEST_CASE("scores and predictions that make no sense are refused with what to do") {
  const TablePlace place;
  place.train();
  const auto fails = [&](std::vector<std::string> words, int code, const std::string& part) {
    const ProcessResult result = place.run(std::move(words));
    INFO(result.err);
    CHECK(result.exit_code == code);
    return contains(result.err, part);
  };
  CHECK(fails({"score", "run", "new.csv"}, 4, "the column 'state' is new"));
  CHECK(fails({"score", "run", "new.csv", "--label", "stat"}, 4, "has no column 'stat'"));
  CHECK(fails({"score", "run", "-"}, 2, "score RUN - --follow"));
  CHECK(fails({"score", "run", "new.csv", "--follow"}, 2, "score RUN - --follow"));
  CHECK(fails({"score", "run", "train.csv", "--threshold", "f1"}, 2, "add --label COLUMN"));
  CHECK(fails({"score", "run", "train.csv", "--expect", "2"}, 2, "a share is between 0 and 1"));
  place.write("fine.csv", "a,b,kind,state\n1,2,x,fine\n2,4,y,fine\n");
  CHECK(fails({"score", "run", "fine.csv", "--label", "state", "--threshold", "f1"}, 2,
              "all rows have one label"));
  CHECK(fails({"score", "run", "fine.csv", "--label", "state"}, 0, ""));
  place.write("scored.csv", "a,b,kind,score\n1,2,x,0.5\n");
  place.write("three.csv", "a,b,kind,state\n1,2,x,1\n2,4,y,1\n3,6,x,5\n2,4,y,2\n3,6,x,2\n");
  CHECK(fails({"score", "run", "three.csv", "--label", "state"}, 2,
              "the label has 3 values: say which rows are odd, as --odd 5"));
  CHECK(fails({"score", "run", "scored.csv", "--ignore", "score"}, 2,
              "two columns would be called 'score': the table has it already"));
  CHECK(fails({"score", "run", "train.csv"}, 0, "1 % cannot be told by 40 scores that the run has kept"));
  CHECK(!fails({"score", "run", "train.csv", "--expect", "0.05"}, 0, "cannot be told"));
  CHECK(fails({"score", "run", "new.csv", "--label", "state", "--odd", "od"}, 2, "did you mean 'odd'?"));
  CHECK(fails({"predict", "run", "train.csv", "--fill", "--output", "code"}, 2, "leave --output away"));
  CHECK(fails({"predict", "run", "train.csv", "--output", "row,code", "--out", "p.npy"}, 2,
              "holds one output"));
  CHECK(fails({"predict", "run", "train.csv", "--output", "loss"}, 2,
              "it has no row for each row of the table"));
  CHECK(place.run({"small.yaml", "--out", "images", "-q"}).exit_code == 0);
  CHECK(fails({"score", "images", "train.csv"}, 2, "has not learnt from a table"));
}

TEST_CASE("a series is scored row by row, as the mean over the windows that hold a row") {
  const TablePlace place;
  const std::string model = in_source("/models/tables/series_anomaly.yaml");
  const json trained = place.run_json({model, "--out", "engine", "--set", "train.epochs=15"});
  CHECK(trained.at("test").at("auc").get<double>() > 0.9);
  CHECK(trained.at("validation").at("loss").get<double>() < 0.2);
  const json result = place.run_json(
      {"score", "engine", in_source("/data/tables/engine_new.csv"), "--out", "s.csv", "--windows", "w.csv"});
  CHECK(result.at("count") == 2550);
  CHECK(result.at("roc_auc").get<double>() > 0.9);
  CHECK(place.lines_of("s.csv").size() == 2551);
  CHECK(place.lines_of("w.csv").front() == "first_row,last_row,score");
  CHECK(place.lines_of("w.csv").size() == 1 + 2550 - 2 * 47);  // none over the gap
  CHECK(place.run({"score", "engine", "-", "--follow"}).exit_code == 2);
}

TEST_CASE("swapped cells are put right, and kernels move along a series: both tell what is odd") {
  const TablePlace place;
  for (const std::string name : {"table_denoising", "series_conv"}) {
    const json trained = place.run_json(
        {in_source("/models/tables/") + name + ".yaml", "--out", name, "--set", "train.epochs=12"});
    INFO(name);
    CHECK(trained.at("test").at("auc").get<double>() > 0.8);
    const std::string fresh = name == "series_conv" ? "engine_new.csv" : "machines_new.csv";
    const json scored = place.run_json({"score", name, in_source("/data/tables/") + fresh, "--out", "s.csv"});
    CHECK(scored.at("roc_auc").get<double>() > 0.8);
  }
}

TEST_CASE("guesses are measured in the unit of the table, and training may stop by such a figure") {
  const TablePlace place;
  const std::string model = in_source("/models/tables/regression.yaml");
  const json result = place.run_json({model, "--out", "houses", "--set", "train.epochs=40", "--set",
                                      "train.stop={metric: r2, patience: 3, best: highest}"});
  CHECK(result.at("test").at("r2").get<double>() > 0.8);
  CHECK(result.at("test").at("mae").get<double>() > 100);
  CHECK(result.at("test").at("mae").get<double>() < 30000);
  CHECK(result.at("validation").contains("r2"));
}
