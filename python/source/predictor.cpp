#include "predictor.hpp"

#include <algorithm>

#include "stoppable.hpp"

namespace graphrun::python {

namespace {

using Writable = nb::ndarray<nb::c_contig, nb::device::cpu>;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::usage, message);
}

Shape shape_of(const TensorInfo& info, std::int64_t rows) {
  Shape shape = info.shape;
  for (std::int64_t& extent : shape)
    if (extent == batch_axis) extent = rows;
  return shape;
}

template <class Element>
nb::object new_array(const Shape& extents) {
  std::size_t count = 1;
  for (const std::int64_t extent : extents) count *= static_cast<std::size_t>(extent);
  auto* const values = new Element[count];
  const nb::capsule owner(values, [](void* memory) noexcept { delete[] static_cast<Element*>(memory); });
  const std::vector<std::size_t> shape(extents.begin(), extents.end());
  return nb::cast(nb::ndarray<nb::numpy, Element>(values, shape.size(), shape.data(), owner));
}

nb::object array_for(const TensorInfo& info, std::int64_t rows) {
  const Shape shape = shape_of(info, rows);
  return info.type == ElementType::f32 ? new_array<float>(shape) : new_array<std::int32_t>(shape);
}

OutputSpan span_into(const TensorInfo& info, const Writable& array) {
  if (info.type == ElementType::f32 && array.dtype() == nb::dtype<float>())
    return std::span(static_cast<float*>(array.data()), array.size());
  if (info.type != ElementType::f32 && array.dtype() == nb::dtype<std::int32_t>())
    return std::span(static_cast<std::int32_t*>(array.data()), array.size());
  refuse("output '" + info.name + "' is of " + (info.type == ElementType::f32 ? "float32" : "int32") +
         ", and `out` is not");
}

std::int64_t rows_of(const TensorInfo& info, const Values& values) {
  const bool has_rows = !info.shape.empty() && info.shape.front() == batch_axis;
  return has_rows ? static_cast<std::int64_t>(values.shape(0)) : 1;
}

}  // namespace

PythonPredictor::PythonPredictor(const Model& model, const Weights& weights, const PredictorOptions& options)
    : predictor_(model, weights, options), inputs_(predictor_.inputs()), outputs_(predictor_.outputs()) {}

nb::object PythonPredictor::predict(const nb::args& given, nb::object out) const {
  if (given.size() != inputs_.size())
    refuse("this predictor has " + std::to_string(inputs_.size()) + " inputs, and " +
           std::to_string(given.size()) + " arrays were given");
  std::vector<Values> arrays;
  std::vector<InputSpan> spans;
  std::size_t bytes = 0;
  std::int64_t rows = 1;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    arrays.push_back(values_for(inputs_[i], given[i]));
    spans.push_back(span_of(arrays.back()));
    bytes += arrays.back().nbytes();
    rows = std::max(rows, rows_of(inputs_[i], arrays.back()));
  }
  if (out.is_none()) {
    nb::list made;
    for (const TensorInfo& info : outputs_) made.append(array_for(info, rows));
    out = outputs_.size() == 1 ? nb::object(made[0]) : nb::object(nb::tuple(made));
  }
  const nb::tuple targets =
      outputs_.size() == 1 ? nb::make_tuple(out) : nb::steal<nb::tuple>(PySequence_Tuple(out.ptr()));
  if (!targets.is_valid()) throw nb::python_error();
  if (targets.size() != outputs_.size())
    refuse("this predictor has " + std::to_string(outputs_.size()) + " outputs, and `out` has " +
           std::to_string(targets.size()));
  std::vector<Writable> writable(outputs_.size());
  std::vector<OutputSpan> results;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    if (!nb::try_cast(targets[i], writable[i], false))
      refuse("`out` for '" + outputs_[i].name + "' is no writable, dense array in memory");
    results.push_back(span_into(outputs_[i], writable[i]));
  }
  run_stoppable(bytes, [&](std::stop_token stop) { predictor_.predict(spans, results, stop); });
  return out;
}

}  // namespace graphrun::python
