/// \file
/// Arrays of NumPy and of whoever speaks DLPack, as the library's spans, and its results as NumPy's.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graphrun/graphrun.hpp"

namespace graphrun::python {

namespace nb = nanobind;

using Values = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;

/// Arrays that are borrowed for a call, and the library's view of them. To be destroyed with the GIL.
struct BorrowedInputs {
  std::vector<Values> arrays;
  Inputs inputs;
  std::size_t bytes = 0;
};

/// An array for the value `info` of a model: f32, i32 and u8 as they are, other numbers converted. Throws
/// Error{usage} when its rows have another size than the value's, or an integer does not fit.
Values values_for(const TensorInfo& info, nb::handle given);
InputSpan span_of(const Values& values);

/// `given` is a dict of names to arrays, or one array for the input of `names`, which is then alone.
BorrowedInputs inputs_for(const Model& model, nb::handle given);

using Shape = std::vector<std::int64_t>;

/// An array that owns the values: nothing is copied.
nb::object numpy(Tensor tensor);

/// Of a str; raises TypeError for anything else.
std::string utf8(nb::handle text);

/// "[batch, 784]", "(3, 28)".
std::string describe(const Shape& shape);

}  // namespace graphrun::python
