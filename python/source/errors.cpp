#include "errors.hpp"

#include <nanobind/nanobind.h>

#include <exception>

#include "graphrun/error.hpp"

namespace nb = nanobind;

namespace graphrun::python {

namespace {

/// Text of files may be no UTF-8; the message comes all the same.
nb::object text(const std::string& bytes) {
  return nb::steal(
      PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "backslashreplace"));
}

const char* class_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage:
      return "UsageError";
    case ErrorCode::model:
      return "ModelError";
    case ErrorCode::data:
      return "DataError";
    case ErrorCode::not_finite:
      return "NotFiniteError";
    case ErrorCode::io:
      return "FileError";
    case ErrorCode::memory:
      return "OutOfMemoryError";
    case ErrorCode::cancelled:
      return "CancelledError";
    case ErrorCode::internal:
      return "InternalError";
  }
  return "InternalError";
}

nb::tuple diagnostics_of(const Error& error, const nb::object& module) {
  nb::list list;
  if (const auto* model = dynamic_cast<const ModelError*>(&error))
    for (const Diagnostic& one : model->diagnostics())
      list.append(module.attr("Diagnostic")(text(one.where.file), one.where.line, one.where.column,
                                            text(one.node), text(one.message), text(one.fix),
                                            text(to_string(one))));
  return nb::tuple(list);
}

void raise(const Error& error) {
  const nb::object module = nb::module_::import_("graphrun.errors");
  const nb::object kind = module.attr(class_name(error.code()));
  const SourceLocation& where = error.where();
  const nb::object raised = kind(text(error.what()), text(error.message()), text(where.file), where.line,
                                 where.column, text(error.node()), diagnostics_of(error, module));
  PyErr_SetObject(kind.ptr(), raised.ptr());
}

void translate(const std::exception_ptr& thrown, void*) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    raise(error);
  }
}

}  // namespace

void translate_errors() {
  nb::register_exception_translator(translate);
}

}  // namespace graphrun::python
