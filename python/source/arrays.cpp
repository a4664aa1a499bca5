#include "arrays.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

namespace graphrun::python {

namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::usage, message);
}

std::int64_t product(std::span<const std::int64_t> extents) {
  return std::accumulate(extents.begin(), extents.end(), std::int64_t{1}, std::multiplies<>());
}

bool has_type(const nb::dlpack::dtype& type) {
  return type == nb::dtype<float>() || type == nb::dtype<std::int32_t>() || type == nb::dtype<std::uint8_t>();
}

/// Whatever is no array yet, but gives DLPack or may be read as one.
nb::object array_of(const nb::object& numpy, nb::handle given) {
  const bool foreign = nb::hasattr(given, "__dlpack__") && !nb::hasattr(given, "__array__");
  return numpy.attr(foreign ? "from_dlpack" : "asarray")(given);
}

/// Lists, scalars, and arrays that are not dense or of another type: as NumPy converts them.
Values converted(const TensorInfo& info, nb::handle given) {
  if (nb::isinstance<nb::dict>(given))
    refuse("'" + info.name + "' needs an array, not a dict: arrays stand in the order of the inputs");
  const nb::object numpy = nb::module_::import_("numpy");
  nb::object array = array_of(numpy, given);
  const std::string kind = utf8(array.attr("dtype").attr("kind"));
  const std::string type = utf8(array.attr("dtype").attr("name"));
  if (std::string_view("biuf").find(kind) == std::string_view::npos)
    refuse("'" + info.name + "' needs an array of numbers, not of " + type);
  const bool real = info.type == ElementType::f32;
  // The bytes of files may stand the other way round, under the same name.
  const bool is_native = PyObject_IsTrue(nb::object(array.attr("dtype").attr("isnative")).ptr()) == 1;
  const bool kept = is_native && (type == "float32" || type == "uint8" || (type == "int32" && !real));
  if (!kept && (real || kind == "f")) {
    array = array.attr("astype")("float32");
  } else if (!kept) {
    const nb::object narrow = array.attr("astype")("int32");
    if (!(PyObject_IsTrue(nb::object(numpy.attr("array_equal")(narrow, array)).ptr()) == 1))
      refuse("'" + info.name + "' has integers of 32 bits, and a value that was given does not fit");
    array = narrow;
  }
  return nb::cast<Values>(nb::object(numpy.attr("ascontiguousarray")(array)));
}

void check_shape(const TensorInfo& info, const Values& values) {
  Shape shape;
  for (std::size_t axis = 0; axis < values.ndim(); ++axis)
    shape.push_back(static_cast<std::int64_t>(values.shape(axis)));
  bool fits = false;
  if (info.shape.empty() || info.shape.front() != batch_axis)
    fits = true;  // the library counts
  else
    fits =
        !shape.empty() && product(std::span(shape).subspan(1)) == product(std::span(info.shape).subspan(1));
  if (fits) return;
  const bool is_one_row = product(shape) == product(std::span(info.shape).subspan(1));
  refuse("'" + info.name + "' is " + describe(info.shape) + ", and an array of shape " + describe(shape) +
         " was given" + (is_one_row ? "; a single row is given as array[None]" : ""));
}

TensorInfo info_of(const Model& model, const std::string& name) {
  for (TensorInfo& input : model.inputs())
    if (input.name == name) return std::move(input);
  for (TensorInfo& output : model.outputs())
    if (output.name == name) return std::move(output);
  for (NodeInfo& node : model.nodes())
    if (node.name == name) return std::move(node.value);
  return {name, ElementType::f32, {}};  // the library says what is wrong, and which name is near
}

void add(BorrowedInputs& borrowed, const TensorInfo& info, nb::handle given) {
  borrowed.arrays.push_back(values_for(info, given));
  const Values& values = borrowed.arrays.back();
  borrowed.bytes += values.nbytes();
  borrowed.inputs.push_back({info.name, span_of(values)});
}

}  // namespace

std::string utf8(nb::handle text) {
  Py_ssize_t size = 0;
  const char* const bytes = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
  if (bytes == nullptr) throw nb::python_error();
  return {bytes, static_cast<std::size_t>(size)};
}

std::string describe(const Shape& shape) {
  std::string text = "[";
  for (const std::int64_t extent : shape) {
    if (text.size() > 1) text += ", ";
    text += extent == batch_axis ? "batch" : std::to_string(extent);
  }
  return text + "]";
}

Values values_for(const TensorInfo& info, nb::handle given) {
  Values values;
  const bool fits = nb::try_cast(given, values, false) && has_type(values.dtype()) &&
                    (info.type != ElementType::f32 || values.dtype() != nb::dtype<std::int32_t>());
  if (!fits) values = converted(info, given);
  check_shape(info, values);
  return values;
}

InputSpan span_of(const Values& values) {
  if (values.dtype() == nb::dtype<float>())
    return std::span(static_cast<const float*>(values.data()), values.size());
  if (values.dtype() == nb::dtype<std::int32_t>())
    return std::span(static_cast<const std::int32_t*>(values.data()), values.size());
  return std::span(static_cast<const std::uint8_t*>(values.data()), values.size());
}

BorrowedInputs inputs_for(const Model& model, nb::handle given) {
  BorrowedInputs borrowed;
  if (nb::isinstance<nb::dict>(given)) {
    for (const auto& [name, values] : nb::borrow<nb::dict>(given))
      add(borrowed, info_of(model, utf8(name)), values);
    return borrowed;
  }
  const std::vector<TensorInfo> inputs = model.inputs();
  if (inputs.size() != 1)
    refuse("the model has " + std::to_string(inputs.size()) +
           " inputs: give a dict of their names and arrays instead of one array");
  add(borrowed, inputs.front(), given);
  return borrowed;
}

nb::object numpy(Tensor tensor) {
  auto* const kept = new std::vector<float>(std::move(tensor.values));
  const nb::capsule owner(kept,
                          [](void* values) noexcept { delete static_cast<std::vector<float>*>(values); });
  const std::vector<std::size_t> shape(tensor.shape.begin(), tensor.shape.end());
  return nb::cast(nb::ndarray<nb::numpy, float>(kept->data(), shape.size(), shape.data(), owner));
}

}  // namespace graphrun::python
