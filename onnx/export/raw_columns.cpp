#include "onnx/export/raw_columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "graph/rewrite.hpp"

namespace graphrun::onnx {

namespace {

bool is_given(const FittedColumn& column) {
  return column.has_cells() || column.use == FittedColumn::Use::input;
}

/// Makes what inputs take from the columns.
class Encoder {
 public:
  Encoder(Builder& builder, const std::vector<FittedColumn>& fitted, NodeId columns)
      : builder_(builder), fitted_(fitted), columns_(columns) {}

  NodeId cells() {
    return joined([&](const FittedColumn& column) { return cells_of(column); });
  }

  NodeId mask() {
    return joined([&](const FittedColumn& column) {
      return std::vector<NodeId>(column.cells(), seen(value_of(column)));
    });
  }

  /// A number as it is scaled, or the place of a value.
  NodeId alone(const FittedColumn& column) {
    const NodeId value = value_of(column);
    return column.is_category ? filled(column, value) : scaled_number(column);
  }

 private:
  NodeId op(const char* name, NodeId a, NodeId b) { return builder_.add(name, {a, b}); }
  NodeId op(const char* name, NodeId a, double b) { return op(name, a, builder_.constant(b)); }

  NodeId value_of(const FittedColumn& column) {
    std::int64_t place = 0;
    for (const FittedColumn& each : fitted_) {
      if (&each == &column) break;
      place += is_given(each) ? 1 : 0;
    }
    std::int64_t count = 0;
    for (const FittedColumn& each : fitted_) count += is_given(each) ? 1 : 0;
    const std::int64_t stop = place + 1 == count ? 0 : place + 1;  // 0 is the end
    return builder_.add(
        "slice", {columns_},
        {{"axis", std::int64_t{-1}}, {"start", place}, {"stop", stop}, {"step", std::int64_t{1}}});
  }

  /// Nothing is equal to a NaN.
  NodeId seen(NodeId value) { return op("equal", value, value); }

  NodeId filled(const FittedColumn& column, NodeId value) {
    return builder_.add("where", {seen(value), value, builder_.constant(column.fill.value_or(0))});
  }

  std::vector<NodeId> cells_of(const FittedColumn& column) {
    if (!column.is_category) return {scaled_number(column)};
    const NodeId value = value_of(column);
    const NodeId place = column.fill ? filled(column, value) : value;
    std::vector<NodeId> cells;
    for (std::size_t i = 0; i < column.values.size(); ++i)
      cells.push_back(op("equal", place, static_cast<double>(i)));
    return cells;
  }

  NodeId scaled_number(const FittedColumn& column) {
    const NodeId value = value_of(column);
    const NodeId number = scaled(column, filled(column, value));
    return column.fill ? number : builder_.add("where", {seen(value), number, builder_.constant(0)});
  }

  NodeId scaled(const FittedColumn& column, NodeId value) {
    if (column.scale == ColumnScale::as_is) return value;
    if (column.scale == ColumnScale::quantile) return ranked(column.landmarks, value);
    if (column.scale == ColumnScale::log)
      value = op("mul", builder_.add("sign", {value}),
                 builder_.add("log", {op("add", builder_.add("abs", {value}), 1.0)}));
    return op("div", op("sub", value, column.centre), column.spread);
  }

  /// How much of each stretch between two landmarks lies below; of equal ones, half at their value itself.
  NodeId ranked(const std::vector<double>& landmarks, NodeId value) {
    const auto stretches = static_cast<double>(landmarks.size() - 1);
    std::optional<NodeId> sum;
    for (std::size_t i = 0; i + 1 < landmarks.size(); ++i) {
      const double width = landmarks[i + 1] - landmarks[i];
      const NodeId part =
          width > 0
              ? builder_.add("clip", {op("div", op("sub", value, landmarks[i]), width)},
                             {{"low", 0.0}, {"high", 1.0}})
              : op("mul",
                   op("add", op("greater_equal", value, landmarks[i]), op("greater", value, landmarks[i])),
                   0.5);
      sum = sum ? op("add", *sum, part) : part;
    }
    return op("div", *sum, stretches);
  }

  template <class Cells>
  NodeId joined(const Cells& cells_of_column) {
    std::vector<NodeId> all;
    for (const FittedColumn& column : fitted_) {
      if (!column.has_cells()) continue;
      const std::vector<NodeId> own = cells_of_column(column);
      all.insert(all.end(), own.begin(), own.end());
    }
    return all.size() == 1 ? all.front() : builder_.add("concat", all, {{"axis", std::int64_t{-1}}});
  }

  Builder& builder_;
  const std::vector<FittedColumn>& fitted_;
  NodeId columns_;
};

class RawColumns {
 public:
  RawColumns(const ModelDefinition& model) : model_(model), table_(*model.data->table) {}

  std::optional<NodeId> visit(Builder& builder, const Node& node) {
    if (!node.op->traits.input) return std::nullopt;
    const auto input = std::ranges::find(model_.inputs, node.name, &ModelInput::name);
    if (input == model_.inputs.end()) return std::nullopt;
    const bool is_column = input->source == InputSource::column && !is_learnt(input->part);
    if (input->source != InputSource::cells && input->source != InputSource::mask && !is_column)
      return std::nullopt;
    if (!columns_) columns_ = add_columns(builder);
    Encoder encoder(builder, table_.fitted, *columns_);
    NodeId made = is_column                             ? encoder.alone(column(input->part))
                  : input->source == InputSource::cells ? encoder.cells()
                                                        : encoder.mask();
    const Type& wanted = node.type;
    if (wanted.dtype == DType::i32) made = builder.add("cast", {made}, {{"dtype", std::string("i32")}});
    if (builder.type(made).shape != wanted.shape)
      made = builder.add("reshape", {made}, {{"shape", wanted.shape}});
    return made;
  }

  bool is_used() const { return columns_.has_value(); }

 private:
  const FittedColumn& column(const std::string& name) const {
    return *std::ranges::find(table_.fitted, name, &FittedColumn::name);
  }
  /// What is learnt is given to nothing but the loss.
  bool is_learnt(const std::string& name) const { return column(name).use != FittedColumn::Use::input; }

  NodeId add_columns(Builder& builder) const {
    Shape shape = {Dim::batch()};
    if (table_.windows) shape.push_back(Dim::number(table_.windows->size));
    shape.push_back(Dim::number(static_cast<std::int64_t>(raw_columns(model_).size())));
    return builder.add("input", {}, {{"shape", shape}}, {"columns", {}, {}});
  }

  const ModelDefinition& model_;
  const TableRecipe& table_;
  std::optional<NodeId> columns_;
};

}  // namespace

std::vector<std::string> raw_columns(const ModelDefinition& model) {
  std::vector<std::string> names;
  if (!model.data || !model.data->table) return names;
  for (const FittedColumn& column : model.data->table->fitted)
    if (is_given(column)) names.push_back(column.name);
  return names;
}

Graph with_raw_columns(Graph graph, const ModelDefinition& model, const OpRegistry& registry) {
  if (!model.data || !model.data->table)
    throw Error(ErrorCode::usage,
                fmt::format("model '{}' has not learnt from a table, so it has no raw columns", model.name));
  RawColumns columns(model);
  Graph result = rewrite(std::move(graph), registry, [&](Builder& builder, const Node& node, NodeId) {
    return columns.visit(builder, node);
  });
  if (!columns.is_used())
    throw Error(ErrorCode::usage, "the exported part takes nothing of a table that could be its raw columns");
  return result;
}

}  // namespace graphrun::onnx
