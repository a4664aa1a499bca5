/// \file
/// What the files that declare the package's classes share: words and paths from Python, figures to it.
#pragma once

#include <nanobind/nanobind.h>

#include <optional>
#include <string>

#include "graphrun/graphrun.hpp"

namespace graphrun::python {

/// One call for each file: classes of models, of what runs one, of what learns, of
/// what answers rows of tables.
void bind_models(nanobind::module_& module);
void bind_predictor(nanobind::module_& module);
void bind_session(nanobind::module_& module);
void bind_table(nanobind::module_& module);

nanobind::dict dict_of(const NamedValues& values);

/// Error{usage} for a name that is none.
Provider provider_of(const std::string& name);
std::optional<Precision> precision_of(const std::optional<std::string>& name);

/// Paths as Python has them: str, bytes, or what has __fspath__.
std::string path_of(const nanobind::object& path);

/// Calls without the GIL.
template <class Call>
auto released(Call call) {
  const nanobind::gil_scoped_release gil;
  return call();
}

}  // namespace graphrun::python
