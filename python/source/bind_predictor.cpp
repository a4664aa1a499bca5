#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "binding.hpp"
#include "predictor.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace graphrun::python {

void bind_predictor(nb::module_& module) {
  nb::class_<Weights>(module, "Weights", "Values of all parameters of a model. Immutable.")
      .def_static(
          "load",
          [](const Model& model, const nb::object& path) {
            const std::string file = path_of(path);
            return released([&] { return Weights::load(model, file); });
          },
          "model"_a, "path"_a, nb::sig("def load(model: Model, path: str | os.PathLike) -> Weights"),
          "From a checkpoint, or any safetensors file that has the model's parameters under their names.\n\n"
          "Raises DataError when one is missing or has another shape, FileError.")
      .def_prop_ro("model", &Weights::model, nb::sig("def model(self) -> Model"))
      .def_prop_ro("digest", &Weights::digest, "As Session.digest.");

  nb::class_<PythonPredictor>(
      module, "Predictor",
      "Runs a trained model, from any number of threads at once, each call on its own thread alone.")
      .def(
          "__init__",
          [](PythonPredictor* self, const Model& model, const Weights& weights,
             std::vector<std::string> outputs, std::vector<std::string> inputs,
             std::optional<std::size_t> max_bytes, const std::string& provider,
             const std::optional<std::string>& precision) {
            const PredictorOptions options{std::move(outputs), std::move(inputs), max_bytes,
                                           provider_of(provider), precision_of(precision)};
            released([&] { return new (self) PythonPredictor(model, weights, options); });
          },
          "model"_a, "weights"_a, nb::kw_only(), "outputs"_a = std::vector<std::string>{},
          "inputs"_a = std::vector<std::string>{}, "max_bytes"_a = nb::none(), "provider"_a = "auto",
          "precision"_a = nb::none(),
          nb::sig(
              "def __init__(self, model: Model, weights: Weights, *, outputs: "
              "collections.abc.Sequence[str] = (), inputs: collections.abc.Sequence[str] = (), max_bytes: "
              "int | None = None, provider: str = 'auto', precision: str | None = None) -> None"),
          "`outputs`: what predict() gives, names of outputs or nodes; empty: \"code\". `inputs`: what it "
          "is\n"
          "given; empty: the inputs that the outputs need. `provider` and `precision`: as Session's. Raises\n"
          "UsageError for unknown names.")
      .def_prop_ro("inputs", &PythonPredictor::inputs, "In the order in which predict() takes them.")
      .def_prop_ro("outputs", &PythonPredictor::outputs, "In the order in which predict() gives them.")
      .def("predict", &PythonPredictor::predict, "inputs"_a, "out"_a = nb::none(),
           nb::sig("def predict(self, *inputs: numpy.typing.ArrayLike, out: typing.Any = None) -> "
                   "typing.Any"),
           "Computes all outputs for all rows: an array, or a tuple of arrays when there are several "
           "outputs.\n\n"
           "Arrays have the shapes of `inputs`, rows first; uint8 given to a float32 input are pixels and "
           "are\n"
           "divided by 255. `out`: arrays to write into. Raises UsageError when shapes or types do not fit.\n"
           "The GIL is released meanwhile; Ctrl-C stops long calls.")
      .def(
          "prepare",
          [](const PythonPredictor& self, std::int64_t rows, int threads) {
            released([&] { return self.predictor().prepare(rows, threads); });
          },
          "rows"_a, "threads"_a = 1, "Makes room for calls of up to so many rows in so many threads at once.")
      .def(
          "swap_weights",
          [](PythonPredictor& self, const Weights& weights) {
            released([&] { self.predictor().swap_weights(weights); });
          },
          "weights"_a,
          "Replaces the weights; calls under way end with those they began with. Raises UsageError when\n"
          "they are of a model with other parameters.")
      .def_prop_ro("weights", [](const PythonPredictor& self) { return self.predictor().weights(); });
}

}  // namespace graphrun::python
