#include "language/expand/build_inputs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "errors/nearest.hpp"
#include "language/expand/attributes.hpp"
#include "language/expand/mistakes.hpp"
#include "language/expand/scope_values.hpp"

namespace graphrun {
namespace {

std::optional<InputSource> source_of(const Scope& scope, const InputDeclaration& declared) {
  if (!declared.from || declared.from->text == "images") return InputSource::images;
  if (declared.from->text == "labels") return InputSource::labels;
  static const std::vector<std::string> known = {"images", "labels"};
  report(scope, declared.from->place,
         fmt::format("an input comes from images or labels, not {}", describe_kind(*declared.from)),
         suggestion(declared.from->text, known));
  return std::nullopt;
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

std::optional<Shape> shape_of(Scope& scope, const InputDeclaration& declared, InputSource source) {
  if (!declared.shape && source == InputSource::labels) return Shape{Dim::batch()};
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

std::vector<ModelInput> build_inputs(Expansion& model) {
  std::vector<ModelInput> made;
  Scope& scope = model.top;
  for (const InputDeclaration& declared : model.declared.inputs) {
    Instance& instance = scope.instances[declared.name];
    if (declared.broken) continue;
    scope.node = declared.name;
    const std::optional<InputSource> source = source_of(scope, declared);
    const std::optional<Shape> shape = source ? shape_of(scope, declared, *source) : std::nullopt;
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
