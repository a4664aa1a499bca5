#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "arrays.hpp"
#include "binding.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace graphrun::python {

namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::usage, message);
}

/// A cell as a file would have it. None, and what pandas has in its place, is a cell that is missing.
std::string text_of(nb::handle cell) {
  if (cell.is_none()) return {};
  const std::string text = nb::isinstance<nb::str>(cell) ? utf8(cell) : utf8(nb::str(cell));
  return text == "<NA>" || text == "NaT" ? std::string() : text;
}

std::vector<std::string> texts_of(nb::handle cells) {
  std::vector<std::string> texts;
  for (const nb::handle cell : cells) texts.push_back(text_of(cell));
  return texts;
}

std::vector<double> numbers_of(const nb::object& array) {
  const auto values = nb::cast<nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>>(array);
  return {values.data(), values.data() + values.size()};
}

void add_column(Table& table, const std::string& name, nb::handle given) {
  const nb::object numpy = nb::module_::import_("numpy");
  const nb::object array = numpy.attr("asarray")(given);
  const nb::object shape = array.attr("shape");
  if (nb::len(shape) != 1)
    refuse("column '" + name + "' needs one value a row, and an array of shape " +
           utf8(nb::str(nb::handle(shape))) + " was given");
  const std::string kind = utf8(array.attr("dtype").attr("kind"));
  if (std::string_view("biuf").find(kind) != std::string_view::npos)
    table.add(name, numbers_of(numpy.attr("ascontiguousarray")(array, "dtype"_a = "float64")));
  else
    table.add(name, texts_of(kind == "M" ? array.attr("astype")("str") : array.attr("tolist")()));
}

/// A dict, a data frame, or whatever else has keys().
Table table_of(nb::handle rows) {
  if (!nb::hasattr(rows, "keys"))
    refuse("rows are a dict of columns by name, or a data frame: {\"temp\": [20.5], \"kind\": [\"old\"]}");
  Table table;
  for (const nb::handle name : nb::object(rows.attr("keys")()))
    add_column(table, utf8(name), nb::object(rows[name]));
  return table;
}

template <class Number>
nb::object array_of(std::vector<Number> values, std::vector<std::size_t> shape) {
  auto* const kept = new std::vector<Number>(std::move(values));
  const nb::capsule owner(kept,
                          [](void* memory) noexcept { delete static_cast<std::vector<Number>*>(memory); });
  return nb::cast(nb::ndarray<nb::numpy, Number>(kept->data(), shape.size(), shape.data(), owner));
}

nb::object array_of(const Table::Column& column) {
  if (const auto* numbers = std::get_if<std::vector<double>>(&column))
    return array_of(*numbers, {numbers->size()});
  return nb::module_::import_("numpy").attr("array")(nb::cast(std::get<std::vector<std::string>>(column)));
}

nb::dict predicted(const TablePredictor& predictor, nb::handle rows) {
  const Table given = table_of(rows);
  const Table table = released([&] { return predictor.predict(given); });
  nb::dict columns;
  for (std::size_t i = 0; i < table.names().size(); ++i)
    columns[table.names()[i].c_str()] = array_of(table.column(i));
  return columns;
}

nb::tuple scored(const TablePredictor& predictor, nb::handle rows) {
  const Table given = table_of(rows);
  const std::vector<RowScore> found = released([&] { return predictor.scores(given); });
  const std::size_t width = predictor.scored_columns().size();
  std::vector<double> scores;
  std::vector<double> parts;
  for (const RowScore& row : found) {
    scores.push_back(row.score);
    parts.insert(parts.end(), row.parts.begin(), row.parts.end());
  }
  return nb::make_tuple(array_of(std::move(scores), {found.size()}),
                        array_of(std::move(parts), {found.size(), width}));
}

nb::tuple scored_alone(const TablePredictor& predictor, nb::handle cells) {
  const std::vector<std::string> texts = texts_of(cells);
  const std::vector<std::string_view> row(texts.begin(), texts.end());
  RowScore found;
  released([&] { predictor.score(row, found); });
  const std::size_t width = found.parts.size();
  return nb::make_tuple(found.score, array_of(std::move(found.parts), {width}));
}

}  // namespace

void bind_table(nb::module_& module) {
  nb::class_<TablePredictor>(
      module, "TablePredictor",
      "Answers rows of a table as people have them, by a model that has learnt from one; any number of\n"
      "threads use it at once.\n\n"
      "    run = graphrun.Run(\"runs/machines-1\")\n"
      "    weights = graphrun.Weights.load(run.model, run.checkpoints[-1])\n"
      "    machines = graphrun.TablePredictor(run.model, weights, columns=[\"temp\", \"kind\"])\n"
      "    score, parts = machines.score([\"20.5\", \"old\"])\n"
      "    odd = score > machines.threshold()\n\n"
      "`rows` are a dict of columns by name, or a data frame, in any order, with a number or a text for "
      "each\n"
      "row, in the units of the table. None, nan and the empty text are cells that are missing.")
      .def(
          "__init__",
          [](TablePredictor* self, const Model& model, const Weights& weights,
             std::vector<std::string> columns, std::vector<std::string> outputs,
             const std::string& provider) {
            const TablePredictorOptions options{std::move(columns), std::move(outputs),
                                                provider_of(provider)};
            released([&] { return new (self) TablePredictor(model, weights, options); });
          },
          "model"_a, "weights"_a, nb::kw_only(), "columns"_a = std::vector<std::string>{},
          "outputs"_a = std::vector<std::string>{}, "provider"_a = "auto",
          nb::sig(
              "def __init__(self, model: Model, weights: Weights, *, columns: "
              "collections.abc.Sequence[str] = (), outputs: collections.abc.Sequence[str] = (), provider: "
              "str = 'auto') -> None"),
          "`columns`: what the cells of score() are, in their order; empty: those that the model takes, in "
          "the\n"
          "order of its table. `outputs`: what predict() gives, outputs or nodes; empty: \"target\", or "
          "else\n"
          "\"row\". Raises UsageError where the model has not learnt from a table, or looks at windows of "
          "rows;\n"
          "DataError for a column that is absent from `columns`, or new.")
      .def_prop_ro("columns", &TablePredictor::columns, "What the cells of score() are.")
      .def_prop_ro("scored_columns", &TablePredictor::scored_columns,
                   "Those that have a part in a score; none where it is but one number.")
      .def(
          "predict", &predicted, "rows"_a,
          nb::sig(
              "def predict(self, rows: collections.abc.Mapping[str, numpy.typing.ArrayLike]) -> dict[str, "
              "numpy.ndarray]"),
          "The outputs, a column each of shape (rows,): `row` as the columns that it draws, `target` as a\n"
          "number in its unit (float64) or a class by name (str), all else as NAME, or NAME_0, NAME_1, …\n\n"
          "Raises DataError, with the line that the row would have in a file (the first is 2), for a column\n"
          "that is absent or new, and for a cell that makes no sense; UsageError where there is no output.")
      .def("scores", &scored, "rows"_a,
           nb::sig("def scores(self, rows: collections.abc.Mapping[str, numpy.typing.ArrayLike]) -> "
                   "tuple[numpy.ndarray, numpy.ndarray]"),
           "How odd each row is, (rows,), as `graphrun score` says it, and what each of `scored_columns` "
           "adds,\n"
           "(rows, scored columns), both float64. Errors are predict()'s; NotFiniteError.")
      .def("score", &scored_alone, "cells"_a,
           nb::sig("def score(self, cells: collections.abc.Sequence[str | float | None]) -> tuple[float, "
                   "numpy.ndarray]"),
           "The same of one row, whose cells are those of `columns`: its score, and (scored columns,).\n\n"
           "Raises DataError, which names the cell by its number from 1, as `row:1:NUMBER`.")
      .def("threshold", &TablePredictor::threshold, "share"_a = 0.01,
           "The score that so small a share of rows like those learnt from is above, by rows that were held\n"
           "out. Raises DataError where the weights are no run's, and come without their scores.");
}

}  // namespace graphrun::python
