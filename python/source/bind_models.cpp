#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "arrays.hpp"
#include "binding.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace graphrun::python {

namespace {

const char* type_name(ElementType type) {
  switch (type) {
    case ElementType::f32:
      return "float32";
    case ElementType::i32:
      return "int32";
    case ElementType::u8:
      return "uint8";
  }
  return "float32";
}

nb::tuple shape_of(const TensorInfo& info) {
  nb::list shape;
  for (const std::int64_t extent : info.shape)
    if (extent == batch_axis)
      shape.append(nb::none());
    else
      shape.append(extent);
  return nb::tuple(shape);
}

std::string text_of(const TensorInfo& info) {
  return info.name + ": " + type_name(info.type) + describe(info.shape);
}

std::int64_t parameter_count(const Model& model) {
  std::int64_t count = 0;
  for (const TensorInfo& info : model.parameters()) {
    std::int64_t size = 1;
    for (const std::int64_t extent : info.shape) size *= extent;
    count += size;
  }
  return count;
}

void bind_infos(nb::module_& module) {
  nb::class_<TensorInfo>(module, "TensorInfo", "Name and type of an input, an output or a parameter.")
      .def_ro("name", &TensorInfo::name)
      .def_prop_ro(
          "dtype", [](const TensorInfo& info) { return type_name(info.type); },
          "'float32', 'int32' or 'uint8'.")
      .def_prop_ro("shape", &shape_of, nb::sig("def shape(self) -> tuple[int | None, ...]"),
                   "None stands for the batch, whose size is chosen when the model runs.")
      .def("__repr__", &text_of);
  nb::class_<NodeInfo>(module, "NodeInfo", "One node of a model, blocks and formulas expanded.")
      .def_ro("name", &NodeInfo::name)
      .def_ro("op", &NodeInfo::op)
      .def_ro("inputs", &NodeInfo::inputs, "Names of nodes.")
      .def_ro("value", &NodeInfo::value)
      .def_prop_ro("file", [](const NodeInfo& node) { return node.where.file; })
      .def_prop_ro("line", [](const NodeInfo& node) { return node.where.line; })
      .def_prop_ro("column", [](const NodeInfo& node) { return node.where.column; })
      .def("__repr__", [](const NodeInfo& node) { return text_of(node.value) + " (" + node.op + ")"; });
  nb::class_<EpochReport>(module, "EpochReport", "What an epoch of learning came to.")
      .def_ro("epoch", &EpochReport::epoch, "From 1.")
      .def_ro("steps", &EpochReport::steps, "Since the weights were initialised.")
      .def_ro("seconds", &EpochReport::seconds, "Of this epoch.")
      .def_prop_ro(
          "train", [](const EpochReport& report) { return dict_of(report.train); },
          nb::sig("def train(self) -> dict[str, float]"),
          "\"loss\", and every term and metric by its name: means per sample while learning.")
      .def_ro("phase", &EpochReport::phase,
              "Of a model that learns in phases: \"fine\", \"layers, layer 1 of 4\".")
      .def_prop_ro(
          "validation", [](const EpochReport& report) { return dict_of(report.validation); },
          nb::sig("def validation(self) -> dict[str, float]"), "Over fit()'s `validation`, if given.")
      .def("__repr__", [](const EpochReport& report) {
        std::string text = "epoch " + std::to_string(report.epoch);
        for (const NamedValue& value : report.train)
          text += ", " + value.name + " " + std::to_string(value.value);
        return text;
      });
}

void bind_model(nb::module_& module) {
  nb::class_<Model>(module, "Model",
                    "What a YAML file describes, checked, with all shapes known but the batch.\n\n"
                    "Immutable; may be used from any thread; can be pickled.")
      .def_static(
          "load",
          [](const nb::object& path, const std::vector<std::string>& settings) {
            const std::string file = path_of(path);
            return released([&] { return Model::load(file, settings); });
          },
          "path"_a, "settings"_a = std::vector<std::string>{},
          nb::sig("def load(path: str | os.PathLike, settings: collections.abc.Sequence[str] = ()) -> Model"),
          "Reads a model file. `settings` are as after --set on the command line: [\"units=10\"].\n\n"
          "Raises ModelError with all mistakes at once, FileError when the file cannot be read.")
      .def_static(
          "parse",
          [](const std::string& text, const std::string& name, const std::vector<std::string>& settings) {
            return released([&] { return Model::parse(text, name, settings); });
          },
          "text"_a, "name"_a = "model.yaml", "settings"_a = std::vector<std::string>{},
          nb::sig("def parse(text: str, name: str = ..., settings: collections.abc.Sequence[str] = "
                  "()) -> Model"),
          "The same of a text; `name` stands for the file in errors. Includes are refused.")
      .def_prop_ro("name", &Model::name)
      .def_prop_ro("about", &Model::about)
      .def_prop_ro("inputs", &Model::inputs, "In the order of the file.")
      .def_prop_ro("outputs", &Model::outputs)
      .def_prop_ro("parameters", &Model::parameters, "What is learnt.")
      .def_prop_ro("nodes", &Model::nodes, "All of the graph; the inputs of each come before it.")
      .def_prop_ro("loss_terms", &Model::loss_terms)
      .def_prop_ro("metrics", &Model::metrics)
      .def_prop_ro("resolved", &Model::resolved,
                   "The model as YAML that stands alone: includes inlined, settings applied.")
      .def(
          "__getstate__", [](const Model& model) { return std::make_tuple(model.resolved(), model.name()); },
          nb::sig("def __getstate__(self) -> tuple[str, str]"))
      .def(
          "__setstate__",
          [](Model& model, const nb::tuple& state) {
            new (&model) Model(Model::parse(utf8(state[0]), utf8(state[1])));
          },
          nb::sig("def __setstate__(self, state: tuple[str, str]) -> None"))
      .def("__repr__", [](const Model& model) {
        std::string text = "<graphrun.Model '" + model.name() + "'";
        for (const TensorInfo& info : model.inputs()) text += ", in " + text_of(info);
        for (const TensorInfo& info : model.outputs()) text += ", out " + text_of(info);
        return text + ", " + std::to_string(parameter_count(model)) + " parameters>";
      });
}

}  // namespace

void bind_models(nb::module_& module) {
  bind_infos(module);
  bind_model(module);
}

}  // namespace graphrun::python
