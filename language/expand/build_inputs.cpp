#include "language/expand/build_inputs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "errors/nearest.hpp"
#include "language/expand/attributes.hpp"
#include "language/expand/mistakes.hpp"
#include "language/expand/scope_values.hpp"

namespace graphrun {
namespace {

using Rows = std::optional<RowSizes>;

/// Why a part of an example is none of these data; empty when it is one.
struct Refusal {
  std::string message;
  std::string fix;
};
Refusal refusal_of(InputSource source, const Rows& rows) {
  const bool is_of_row = source == InputSource::cells || source == InputSource::mask ||
                         source == InputSource::target || source == InputSource::column;
  const bool is_of_files =
      source == InputSource::images || source == InputSource::targets || source == InputSource::array;
  const std::string_view word = input_sources[static_cast<std::size_t>(source)];
  if (!rows && is_of_row)
    return {fmt::format("'{}' is a part of a row, and the data are no table", word),
            source == InputSource::target ? "Write from: targets, or data: {train: {table: FILE.csv}}."
                                          : "Write data: {train: {table: FILE.csv}}."};
  if (rows && is_of_files)
    return {fmt::format("the data are a table, which holds no {}{}", word,
                        source == InputSource::array ? "s" : ""),
            source == InputSource::images    ? "Write from: cells."
            : source == InputSource::targets ? "Write from: target."
                                             : "Write from: column."};
  if (rows && source == InputSource::target && rows->targets == 0)
    return {"the table has no target", "Name one: columns: {target: COLUMN} under `data:`."};
  if (rows && source == InputSource::target && rows->targets > 1 && rows->target_is_category)
    return {"the targets are several, and not all of them numbers",
            "Take each by itself: {from: column, name: COLUMN}."};
  return {};
}

std::optional<InputSource> source_of(const Scope& scope, const InputDeclaration& declared, const Rows& rows) {
  if (!declared.from) return rows ? InputSource::cells : InputSource::images;
  const auto found = std::ranges::find(input_sources, declared.from->text);
  if (found == input_sources.end()) {
    static const std::vector<std::string> known(input_sources.begin(), input_sources.end());
    report(scope, declared.from->place,
           fmt::format("an input comes from {}, not {}",
                       rows ? "cells, mask, target, column or labels" : "images, labels, targets or array",
                       describe_kind(*declared.from)),
           suggestion(declared.from->text, known));
    return std::nullopt;
  }
  const auto source = static_cast<InputSource>(found - input_sources.begin());
  const Refusal refusal = refusal_of(source, rows);
  if (!refusal.message.empty()) {
    report(scope, declared.from->place, refusal.message, refusal.fix);
    return std::nullopt;
  }
  const bool is_class = source == InputSource::target && rows->target_is_category;
  return is_class ? InputSource::labels : source;
}

/// What is known of the column that an input takes; null: the table has none of this name.
const RowSizes::Column* column_of(const InputDeclaration& declared, const Rows& rows) {
  const auto found = std::ranges::find(rows->columns, declared.part_name(), &RowSizes::Column::name);
  return found == rows->columns.end() ? nullptr : &*found;
}

/// What an input has without `shape:`; nothing when that has to be written.
std::optional<Shape> own_shape(const InputDeclaration& declared, InputSource source, const Rows& rows) {
  Shape shape = {Dim::batch()};
  switch (source) {
    case InputSource::images:
    case InputSource::targets:
    case InputSource::array:
      return std::nullopt;
    case InputSource::labels:
    case InputSource::weights:
      return shape;
    case InputSource::target:
      if (rows->targets > 1) shape.push_back(Dim::number(rows->targets));
      return shape;
    case InputSource::column: {
      const RowSizes::Column* column = column_of(declared, rows);
      if (rows->window > 0 && column != nullptr && !column->is_target)
        shape.push_back(Dim::number(rows->window));
      return shape;
    }
    case InputSource::cells:
    case InputSource::mask:
      break;
  }
  if (rows->window > 0) shape.push_back(Dim::number(rows->window));
  shape.push_back(Dim::number(rows->cells));
  return shape;
}

/// i32 where it is labels or the place of a value, or where the file says so.
std::optional<DType> dtype_of(Scope& scope, const InputDeclaration& declared, InputSource source,
                              const Rows& rows) {
  if (source == InputSource::labels) return DType::i32;
  if (source == InputSource::column) {
    const RowSizes::Column* column = column_of(declared, rows);
    return column != nullptr && column->is_category ? DType::i32 : DType::f32;
  }
  if (!declared.dtype) return DType::f32;
  const YamlNode& written = *declared.dtype;
  const bool is_free =
      source == InputSource::images || source == InputSource::targets || source == InputSource::array;
  if (!is_free) {
    report(scope, written.place, "`dtype:` is of images, targets and arrays: what a table has is known",
           "Leave `dtype:` away.");
    return std::nullopt;
  }
  if (written.text == "f32" || written.text == "i32") return written.text == "i32" ? DType::i32 : DType::f32;
  report(scope, written.place, fmt::format("`dtype:` is f32 or i32, not {}", describe_kind(written)));
  return std::nullopt;
}

/// `name:` goes with what has a name.
bool has_sound_part(Scope& scope, const InputDeclaration& declared, InputSource source, const Rows& rows) {
  if (declared.part && source != InputSource::column && source != InputSource::array) {
    report(scope, declared.part->place, "`name:` is of a column or an array",
           "Write from: column or from: array.");
    return false;
  }
  if (source != InputSource::column || column_of(declared, rows) != nullptr) return true;
  std::vector<std::string> known;
  for (const RowSizes::Column& column : rows->columns) known.push_back(column.name);
  report(scope, declared.part ? declared.part->place : declared.place,
         fmt::format("there is no column '{}'", declared.part_name()),
         suggestion(declared.part_name(), known));
  return false;
}

Shape input_shape(const Value& written) {
  Shape shape = shape_from(written, "shape");
  for (const Dim& dim : shape) {
    if (dim.is_number(-1))
      throw OpError("the size of an input's axis is at least 1, not -1",
                    "The number of examples is written batch, as in [batch, 784].", "shape");
  }
  return shape;
}

void check_batch(const Shape& shape) {
  const auto counts = [](const Dim& dim) { return !dim.is_number(); };
  if (shape.empty() || std::ranges::any_of(shape, counts)) return;
  const std::string sizes = to_string(shape);
  throw OpError(fmt::format("examples come in batches, but the shape {} has no `batch`", sizes),
                fmt::format("Write [batch, {}.", sizes.substr(1)), "shape");
}

std::optional<Shape> shape_of(Scope& scope, const InputDeclaration& declared, InputSource source,
                              const Rows& rows) {
  if (const std::optional<Shape> own = own_shape(declared, source, rows); own && !declared.shape) {
    if (!own->back().is_number(0)) return own;
    report(scope, declared.place,
           fmt::format("input '{}' takes the cells of a table that has none", declared.name),
           "All its columns are inputs of their own, targets or ignored.");
    return std::nullopt;
  }
  if (!declared.shape) {
    report(scope, declared.place, fmt::format("input '{}' needs a shape", declared.name),
           fmt::format("Write `{}: {{shape: [batch, 784]}}`.", declared.name));
    return std::nullopt;
  }
  const std::optional<Value> written = value_of(scope, *declared.shape);
  if (!written) return std::nullopt;
  try {
    Shape shape = input_shape(*written);
    if (scope.model.declared.data) check_batch(shape);
    element_polynomial(shape);  // throws when the size overflows
    return shape;
  } catch (const Error& error) {
    const auto* op_error = dynamic_cast<const OpError*>(&error);
    report(scope, wrong_item(scope, *declared.shape, input_shape).place, error.message(),
           op_error != nullptr ? op_error->fix() : "");
  }
  return std::nullopt;
}

}  // namespace

namespace {

NodeId add_input(Scope& scope, const std::string& name, const Place& place, const Shape& shape, DType dtype) {
  Attributes attributes = {{"shape", shape}};
  if (dtype == DType::i32) attributes.set("dtype", std::string("i32"));
  const SourceLocation where = scope.model.diagnostics.sources().location(place);
  auto origin = std::make_shared<const Origin>(Origin{name, where, {}});
  claim_name(scope, place, name, "input");
  return scope.model.builder.add("input", {}, std::move(attributes), {name, std::move(origin), {}});
}

/// Nothing for more elements than can be counted.
std::optional<NodeId> declared_input(Scope& scope, const InputDeclaration& declared, const Shape& shape,
                                     DType dtype) {
  try {
    return add_input(scope, declared.name, declared.place, shape, dtype);
  } catch (const OpError& error) {
    report(scope, declared.shape ? declared.shape->place : declared.place, error.message(), error.fix());
    return std::nullopt;
  }
}

}  // namespace

std::vector<ModelInput> build_inputs(Expansion& model, const std::optional<RowSizes>& rows,
                                     bool has_weights) {
  std::vector<ModelInput> made;
  Scope& scope = model.top;
  for (const InputDeclaration& declared : model.declared.inputs) {
    Instance& instance = scope.instances[declared.name];
    if (declared.broken) continue;
    scope.node = declared.name;
    const std::optional<InputSource> source = source_of(scope, declared, rows);
    if (!source || !has_sound_part(scope, declared, *source, rows)) continue;
    const std::optional<Shape> shape = shape_of(scope, declared, *source, rows);
    const std::optional<DType> dtype = dtype_of(scope, declared, *source, rows);
    if (!shape || !dtype) continue;
    instance.node = declared_input(scope, declared, *shape, *dtype);
    if (!instance.node) continue;
    instance.params = declared.name;
    const bool is_named = *source == InputSource::column || *source == InputSource::array;
    made.push_back({.name = declared.name,
                    .source = *source,
                    .where = model.diagnostics.sources().location(declared.place),
                    .part = is_named ? declared.part_name() : std::string()});
  }
  if (has_weights) {
    const Place place = model.declared.data->place;
    model.weights = add_input(scope, weights_input, place, {Dim::batch()}, DType::f32);
    made.push_back({.name = weights_input,
                    .source = InputSource::weights,
                    .where = model.diagnostics.sources().location(place)});
  }
  scope.node.clear();
  return made;
}

}  // namespace graphrun
