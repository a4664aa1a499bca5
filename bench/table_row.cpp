// One row of a table as people have it, scored inside a program: table_row [MODEL] [--seconds N]
//
// From cells of text to a score and the part of each column in it, on one warm thread; beside it the network
// alone, on cells that are encoded already.
#include <fmt/format.h>

#include "bench/timing.hpp"
#include "graphrun/graphrun.hpp"
#include "language/recipe/definition.hpp"
#include "train/datasets/tables/table_text.hpp"

namespace {

using namespace graphrun;

/// The first rows of the model's own table, each as cells of text.
std::vector<std::vector<std::string>> first_rows(const std::string& path,
                                                 const std::vector<std::string>& columns) {
  constexpr std::size_t most = 1000;
  const train::TableText table{std::filesystem::path(path)};
  std::vector<std::vector<std::string>> rows;
  table.for_each_row([&](const files::CsvLines&, const files::CsvFields& fields) {
    if (rows.size() == most) return;
    std::vector<std::string>& row = rows.emplace_back();
    for (const std::string& column : columns)
      row.emplace_back(
          fields[static_cast<std::size_t>(std::ranges::find(table.names(), column) - table.names().begin())]);
  });
  return rows;
}

void print(const std::string& what, std::vector<double> times) {
  std::sort(times.begin(), times.end());
  fmt::print("{:<28} {:>10.2f} {:>10.2f} {:>10.2f}\n", what, times.front(), times[times.size() / 2],
             times[times.size() * 99 / 100]);
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run_program([&] {
    bench::Words words(count, arguments);
    const int seconds = words.number("seconds", 1);
    const Model model = Model::load(words.word(0, "models/tables/table_anomaly.yaml"));
    const Session session(model);
    const TablePredictor predictor(model, session.weights());
    const auto rows = first_rows(model.definition().data->train->images, predictor.columns());
    std::vector<std::vector<std::string_view>> cells;
    for (const auto& row : rows) cells.emplace_back(row.begin(), row.end());

    fmt::print("'{}', {} columns\n{:<28} {:>10} {:>10} {:>10}\n", model.name(), predictor.columns().size(),
               "us a row", "best", "median", "p99");
    RowScore score;
    std::size_t at = 0;
    print("from texts to a score",
          bench::times_us(seconds, [&] { predictor.score(cells[at++ % cells.size()], score); }));

    const Predictor network(model, session.weights(),
                            {.outputs = {model.definition().role("score") ? "score" : "row"}, .inputs = {}});
    network.prepare(1);
    std::vector<std::vector<float>> inputs;
    std::vector<InputSpan> given;
    for (const TensorInfo& input : network.inputs())
      inputs.emplace_back(static_cast<std::size_t>(input.shape.back()), 0.5F);
    for (const std::vector<float>& values : inputs) given.emplace_back(std::span<const float>(values));
    std::vector<float> output(static_cast<std::size_t>(network.outputs().front().shape.back()));
    const OutputSpan into = std::span(output);
    print("the network alone",
          bench::times_us(seconds, [&] { network.predict(given, std::span(&into, 1)); }));
  });
}
