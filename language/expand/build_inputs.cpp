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
  if (!rows && source != InputSource::images && source != InputSource::labels)
    return {fmt::format("'{}' is a part of a row, and the data are no table", name_of(source)),
            "Write data: {train: {table: FILE.csv}}."};
  if (rows && source == InputSource::images)
    return {"the data are a table, which holds no images", "Write from: cells."};
  if (rows && source == InputSource::target && !rows->has_target)
    return {"the table has no target", "Name one: columns: {target: COLUMN} under `data:`."};
  return {};
}

std::optional<InputSource> source_of(const Scope& scope, const InputDeclaration& declared, const Rows& rows) {
  if (!declared.from) return rows ? InputSource::cells : InputSource::images;
  const auto found = std::ranges::find(input_sources, declared.from->text);
  if (found == input_sources.end()) {
    static const std::vector<std::string> known(input_sources.begin(), input_sources.end());
    report(scope, declared.from->place,
           fmt::format("an input comes from {}, not {}",
                       rows ? "cells, mask, target or labels" : "images or labels",
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

/// What an input has without `shape:`; nothing when that has to be written.
std::optional<Shape> own_shape(InputSource source, const Rows& rows) {
  if (source == InputSource::images) return std::nullopt;
  if (source != InputSource::cells && source != InputSource::mask) return Shape{Dim::batch()};
  Shape shape = {Dim::batch()};
  if (rows->window > 0) shape.push_back(Dim::number(rows->window));
  shape.push_back(Dim::number(rows->cells));
  return shape;
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
  if (const std::optional<Shape> own = own_shape(source, rows); own && !declared.shape) return own;
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
    if (!element_polynomial(shape).empty()) return shape;
  } catch (const Error& error) {
    const auto* op_error = dynamic_cast<const OpError*>(&error);
    report(scope, wrong_item(scope, *declared.shape, input_shape).place, error.message(),
           op_error != nullptr ? op_error->fix() : "");
  }
  return std::nullopt;
}

}  // namespace

std::vector<ModelInput> build_inputs(Expansion& model, const std::optional<RowSizes>& rows) {
  std::vector<ModelInput> made;
  Scope& scope = model.top;
  for (const InputDeclaration& declared : model.declared.inputs) {
    Instance& instance = scope.instances[declared.name];
    if (declared.broken) continue;
    scope.node = declared.name;
    const std::optional<InputSource> source = source_of(scope, declared, rows);
    const std::optional<Shape> shape = source ? shape_of(scope, declared, *source, rows) : std::nullopt;
    if (!shape) continue;
    Attributes attributes = {{"shape", *shape}};
    if (*source == InputSource::labels) attributes.set("dtype", std::string("i32"));
    const SourceLocation where = model.diagnostics.sources().location(declared.place);
    auto origin = std::make_shared<const Origin>(Origin{declared.name, where, {}});
    claim_name(scope, declared.place, declared.name, "input");
    instance.node =
        model.builder.add("input", {}, std::move(attributes), {declared.name, std::move(origin), {}});
    instance.params = declared.name;
    made.push_back({declared.name, *source, where});
  }
  scope.node.clear();
  return made;
}

}  // namespace graphrun
