// The functions of graphrun.h for rows of tables.
#include "graphrun/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "api/c/arguments.hpp"
#include "api/c/failure.hpp"
#include "api/c/handles.hpp"
#include "files/json.hpp"
#include "files/number_text.hpp"
#include "graphrun/graphrun.h"
#include "graphrun/predictor.hpp"
#include "graphrun/table_predictor.hpp"

using namespace graphrun;
using namespace graphrun::api;

struct graphrun_table_predictor {
  TablePredictor predictor;
  std::string info;
};

namespace {

/// The part that C sees is the base, so that one pointer stands for both.
struct OwnedTable : graphrun_table {
  explicit OwnedTable(const Table& table) : graphrun_table{} {
    for (std::size_t row = 0; row < table.rows(); ++row)
      for (std::size_t column = 0; column < table.names().size(); ++column)
        texts.push_back(text_of(table.column(column), row));
    own_names = table.names();
    for (const std::string& text : texts) seen.push_back(text.c_str());
    for (const std::string& name : own_names) seen_names.push_back(name.c_str());
    names = seen_names.data();
    column_count = seen_names.size();
    cells = seen.data();
    row_count = table.rows();
  }

  /// As `graphrun predict` writes it.
  static std::string text_of(const Table::Column& column, std::size_t row) {
    if (const auto* texts = std::get_if<std::vector<std::string>>(&column)) return (*texts)[row];
    return files::number_text(static_cast<float>(std::get<std::vector<double>>(column)[row]));
  }

  std::vector<std::string> own_names;
  std::vector<std::string> texts;
  std::vector<const char*> seen_names;
  std::vector<const char*> seen;
};

TablePredictorOptions options_of(const graphrun_table_predictor_options* given) {
  const graphrun_table_predictor_options options = known(given, "table_predictor_options");
  return {.columns = texts_of(options.columns, options.column_count, "columns"),
          .outputs = texts_of(options.outputs, options.output_count, "outputs"),
          .provider = provider_of(options.provider)};
}

std::string info_of(const TablePredictor& predictor) {
  return files::JsonObject()
      .set("columns", files::json_array(predictor.columns()))
      .set("scored_columns", files::json_array(predictor.scored_columns()))
      .text();
}

/// NULL is a cell that is missing.
std::string_view cell_of(const char* text) {
  return text == nullptr ? std::string_view() : std::string_view(text);
}

/// Rows that stand one behind the other.
Table table_of(const std::vector<std::string>& names, const char* const* cells, std::size_t rows) {
  Table table;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::vector<std::string> column;
    column.reserve(rows);
    for (std::size_t row = 0; row < rows; ++row) column.emplace_back(cell_of(cells[row * names.size() + i]));
    table.add(names[i], std::move(column));
  }
  return table;
}

}  // namespace

int graphrun_table_predictor_new(const graphrun_model* model, const char* weights,
                                 const graphrun_table_predictor_options* options,
                                 graphrun_table_predictor** predictor) {
  return guarded([&] {
    clear(predictor, "predictor");
    require(model, "model");
    require(weights, "weights");
    TablePredictor made(model->model, Weights::load(model->model, weights), options_of(options));
    std::string info = info_of(made);
    *predictor =
        std::make_unique<graphrun_table_predictor>(graphrun_table_predictor{std::move(made), std::move(info)})
            .release();
  });
}

void graphrun_table_predictor_free(graphrun_table_predictor* predictor) {
  delete predictor;
}

int graphrun_table_predictor_info_json(const graphrun_table_predictor* predictor, const char** json) {
  return guarded([&] {
    clear(json, "json");
    require(predictor, "predictor");
    *json = predictor->info.c_str();
  });
}

int graphrun_table_score(const graphrun_table_predictor* predictor, const char* const* cells,
                         size_t cell_count, double* score, double* parts, size_t part_count) {
  return guarded([&] {
    require(predictor, "predictor");
    require(score, "score");
    if (cell_count > 0) require(cells, "cells");
    if (part_count > 0) require(parts, "parts");
    std::vector<std::string_view> row(cell_count);
    std::transform(cells, cells + cell_count, row.begin(), cell_of);
    RowScore found;
    predictor->predictor.score(row, found);
    if (part_count != 0 && part_count != found.parts.size())
      throw Error(ErrorCode::usage,
                  fmt::format("a score has {} parts, room for {} is given", found.parts.size(), part_count));
    *score = found.score;
    std::copy_n(found.parts.begin(), part_count, parts);
  });
}

int graphrun_table_threshold(const graphrun_table_predictor* predictor, double share, double* score) {
  return guarded([&] {
    require(predictor, "predictor");
    require(score, "score");
    *score = predictor->predictor.threshold(share);
  });
}

int graphrun_table_predict(const graphrun_table_predictor* predictor, const char* const* cells,
                           size_t row_count, graphrun_table** result) {
  return guarded([&] {
    clear(result, "result");
    require(predictor, "predictor");
    if (row_count > 0) require(cells, "cells");
    const Table rows = table_of(predictor->predictor.columns(), cells, row_count);
    *result = std::make_unique<OwnedTable>(predictor->predictor.predict(rows)).release();
  });
}

void graphrun_table_free(graphrun_table* table) {
  delete static_cast<OwnedTable*>(table);
}
