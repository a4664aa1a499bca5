/// \file
/// graphrun::Error as the classes of graphrun/errors.py.
#pragma once

namespace graphrun::python {

void translate_errors();

}  // namespace graphrun::python
