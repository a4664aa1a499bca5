#include "api/c/failure.hpp"

#include <fmt/format.h>

#include <new>
#include <string>

#include "files/json.hpp"
#include "graphrun/graphrun.h"

namespace graphrun::api {

namespace {

constexpr const char* no_memory = "error: out of memory";
constexpr const char* no_memory_json = R"({"code": "memory", "message": "out of memory", "diagnostics": []})";

struct Failure {
  std::string text;
  std::string json;
  bool is_memory = false;  ///< there was none for the texts
};
thread_local Failure failure;  // NOLINT: of the thread, as errno is

struct Code {
  int number;
  const char* name;
};
Code code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage:
      return {GRAPHRUN_USAGE, "usage"};
    case ErrorCode::model:
      return {GRAPHRUN_MODEL, "model"};
    case ErrorCode::data:
      return {GRAPHRUN_DATA, "data"};
    case ErrorCode::not_finite:
      return {GRAPHRUN_NOT_FINITE, "not_finite"};
    case ErrorCode::io:
      return {GRAPHRUN_IO, "io"};
    case ErrorCode::memory:
      return {GRAPHRUN_MEMORY, "memory"};
    case ErrorCode::cancelled:
      return {GRAPHRUN_CANCELLED, "cancelled"};
    case ErrorCode::internal:
      break;
  }
  return {GRAPHRUN_INTERNAL, "internal"};
}

void set_place(files::JsonObject& object, const SourceLocation& where) {
  object.set("file", where.file).set("line", where.line).set("column", where.column);
}

files::JsonObject json_of(const Diagnostic& diagnostic) {
  files::JsonObject object;
  object.set("message", diagnostic.message).set("fix", diagnostic.fix);
  object.set("node", diagnostic.node).set("op", diagnostic.op);
  set_place(object, diagnostic.where);
  return object;
}

std::string json_of(const Error& error) {
  files::JsonArray diagnostics;
  if (const auto* const model = dynamic_cast<const ModelError*>(&error))
    for (const Diagnostic& diagnostic : model->diagnostics()) diagnostics.add(json_of(diagnostic));
  files::JsonObject object;
  object.set("code", code_of(error.code()).name).set("message", error.message()).set("node", error.node());
  set_place(object, error.where());
  return object.set("diagnostics", diagnostics).text();
}

int keep(const Error& error) {
  Failure kept{error.what(), json_of(error), false};
  failure = std::move(kept);
  return code_of(error.code()).number;
}

int keep_memory() noexcept {
  failure.is_memory = true;
  return GRAPHRUN_MEMORY;
}

}  // namespace

int keep_failure() noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return keep_memory();
  } catch (const Error& error) {
    try {
      return keep(error);
    } catch (...) {
      return keep_memory();
    }
  } catch (...) {
    try {
      return keep(Error(ErrorCode::internal, "an exception that is no Error left the library"));
    } catch (...) {
      return keep_memory();
    }
  }
}

const char* last_failure() noexcept {
  return failure.is_memory ? no_memory : failure.text.c_str();
}

const char* last_failure_json() noexcept {
  if (failure.is_memory) return no_memory_json;
  return failure.json.empty() ? "{}" : failure.json.c_str();
}

void require(const void* pointer, const char* name) {
  if (pointer == nullptr) throw Error(ErrorCode::usage, fmt::format("{} is NULL", name));
}

}  // namespace graphrun::api
