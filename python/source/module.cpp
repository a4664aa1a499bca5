#include <nanobind/stl/string.h>

#include "binding.hpp"
#include "errors.hpp"

namespace nb = nanobind;

namespace graphrun::python {

nb::dict dict_of(const NamedValues& values) {
  nb::dict dict;
  for (const NamedValue& value : values) dict[value.name.c_str()] = value.value;
  return dict;
}

Provider provider_of(const std::string& name) {
  if (name == "auto") return Provider::automatic;
  if (name == "onednn") return Provider::onednn;
  if (name == "tiles") return Provider::tiles;
  throw Error(ErrorCode::usage, "there is no provider '" + name + "': auto, onednn or tiles");
}

std::optional<Precision> precision_of(const std::optional<std::string>& name) {
  if (!name) return std::nullopt;
  if (*name == "f32") return Precision::f32;
  if (*name == "bf16") return Precision::bf16;
  if (*name == "bf16-emulated") return Precision::bf16_emulated;
  throw Error(ErrorCode::usage, "there is no precision '" + *name + "': f32, bf16 or bf16-emulated");
}

std::string path_of(const nb::object& path) {
  const nb::object decoded = nb::module_::import_("os").attr("fsencode")(path);
  const auto bytes = nb::borrow<nb::bytes>(decoded);
  return {bytes.c_str(), bytes.size()};
}

}  // namespace graphrun::python

NB_MODULE(_core, module) {
  using namespace graphrun::python;
  module.doc() = "The library behind the package graphrun.";
  module.attr("__version__") = std::string(graphrun::library_version());
  translate_errors();
  bind_models(module);
  bind_predictor(module);
  bind_session(module);
  bind_table(module);
}
