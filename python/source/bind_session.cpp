#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <functional>
#include <memory>
#include <string_view>

#include "binding.hpp"
#include "session.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace graphrun::python {

namespace {

Executor executor_of(const std::string& name) {
  if (name == "tbb") return Executor::tbb;
  if (name == "threads") return Executor::threads;
  if (name == "serial") return Executor::serial;
  throw Error(ErrorCode::usage, "there is no executor '" + name + "': tbb, threads or serial");
}

/// A function of Python's that the library may copy, call and drop without the GIL.
std::function<void(std::string_view)> log_of(const nb::object& on_log) {
  if (on_log.is_none()) return {};
  const std::shared_ptr<nb::object> kept(new nb::object(on_log), [](nb::object* function) {
    const nb::gil_scoped_acquire gil;
    delete function;
  });
  return [kept](std::string_view line) {
    const nb::gil_scoped_acquire gil;
    (*kept)(nb::str(line.data(), line.size()));
  };
}

SessionOptions session_options(int threads, const std::string& executor, const std::string& provider,
                               const std::optional<std::string>& precision, std::optional<std::uint64_t> seed,
                               std::optional<std::size_t> max_bytes,
                               std::optional<std::int64_t> steps_per_epoch, const nb::object& on_log) {
  SessionOptions options;
  options.threads = threads;
  options.executor = executor_of(executor);
  options.provider = provider_of(provider);
  options.precision = precision_of(precision);
  options.seed = seed;
  options.max_bytes = max_bytes;
  options.steps_per_epoch = steps_per_epoch;
  options.on_log = log_of(on_log);
  return options;
}

void bind_learning(nb::class_<PythonSession>& session) {
  session
      .def(
          "train_step",
          [](PythonSession& self, nb::handle batch, std::optional<double> epoch) {
            return dict_of(self.train_step(batch, epoch));
          },
          "batch"_a, nb::kw_only(), "epoch"_a = nb::none(),
          nb::sig(
              "def train_step(self, batch: dict[str, numpy.typing.ArrayLike] | numpy.typing.ArrayLike, *, "
              "epoch: float | None = None) -> dict[str, float]"),
          "One step of the optimizer on one batch: \"loss\", terms and metrics, means per sample. `epoch`: "
          "how\n"
          "many epochs are done, 2.5 in the middle of the third, for schedules in epochs.\n\n"
          "All or nothing: when it raises, no weight has changed, but when a gradient is not finite\n"
          "(NotFiniteError): then load() a good state.")
      .def("fit", &PythonSession::fit, "examples"_a, nb::kw_only(), "epochs"_a = nb::none(),
           "batch"_a = nb::none(), "validation"_a = nb::none(), "on_epoch"_a = nb::none(),
           nb::sig("def fit(self, examples: dict[str, numpy.typing.ArrayLike] | numpy.typing.ArrayLike | "
                   "collections.abc.Callable[[int], collections.abc.Iterable[dict[str, "
                   "numpy.typing.ArrayLike] | numpy.typing.ArrayLike]], *, "
                   "epochs: int | None = None, batch: int | None = None, "
                   "validation: dict[str, numpy.typing.ArrayLike] | numpy.typing.ArrayLike | None = None, "
                   "on_epoch: collections.abc.Callable[[EpochReport], object] | None = None) -> None"),
           "Learns from all examples for as many more epochs as the model or `epochs` say, in batches of\n"
           "`batch` rows, in seeded random order. A model that has phases or stops by itself says how long: "
           "then\n"
           "UsageError for `epochs` and `batch`. `validation` is measured after each epoch; `stop:` judges "
           "by it.\n\n"
           "Data that are made, or larger than memory: `examples` may be a function that takes the seed of "
           "an\n"
           "epoch and gives its rows, in pieces of any size, in the order in which they are learnt:\n\n"
           "    def batches(seed):\n"
           "        for part in numpy.random.default_rng(seed).permutation(files):\n"
           "            yield numpy.load(part)\n\n"
           "It is called once more before, to see what is in it.\n\n"
           "`on_epoch` may look at the session. Ctrl-C finishes the step at hand and raises "
           "KeyboardInterrupt;\n"
           "the steps before stay. The examples must not change meanwhile.")
      .def("epochs", &PythonSession::epochs, "examples"_a, nb::kw_only(), "epochs"_a = nb::none(),
           "batch"_a = nb::none(), "validation"_a = nb::none(), nb::keep_alive<0, 1>(),
           nb::sig("def epochs(self, examples: dict[str, numpy.typing.ArrayLike] | numpy.typing.ArrayLike | "
                   "collections.abc.Callable[[int], collections.abc.Iterable[dict[str, "
                   "numpy.typing.ArrayLike] | numpy.typing.ArrayLike]], *, epochs: int | None = None, batch: "
                   "int | None = None, "
                   "validation: dict[str, numpy.typing.ArrayLike] | numpy.typing.ArrayLike | None = None) "
                   "-> Epochs"),
           "Learns as fit() does, to the same bits, as an iterator of reports:\n\n"
           "    for report in session.epochs(pixels, epochs=20):\n"
           "        if session.evaluate(held_out)[\"loss\"] < 0.02:\n"
           "            break\n\n"
           "An epoch is learnt when the next report is asked for. Between two the session may be looked at,\n"
           "not taught; a loop that is left ends the learning there.");
}

void bind_use(nb::class_<PythonSession>& session) {
  session
      .def(
          "evaluate",
          [](PythonSession& self, nb::handle examples) { return dict_of(self.evaluate(examples)); },
          "examples"_a,
          nb::sig("def evaluate(self, examples: dict[str, numpy.typing.ArrayLike] | numpy.typing.ArrayLike) "
                  "-> dict[str, float]"),
          "Loss, terms and metrics on other examples, means per sample. Noise is from a fixed key.")
      .def("run", &PythonSession::run, "output"_a, "inputs"_a,
           nb::sig("def run(self, output: str, inputs: dict[str, numpy.typing.ArrayLike] | "
                   "numpy.typing.ArrayLike) -> numpy.ndarray"),
           "The value of a node or an output by name, as float32. Any node may be given instead of what it "
           "is\n"
           "computed from. UsageError names what is missing.")
      .def("gradients", &PythonSession::gradients, "of"_a, "names"_a, "inputs"_a,
           nb::sig("def gradients(self, of: str, names: collections.abc.Sequence[str], inputs: dict[str, "
                   "numpy.typing.ArrayLike] | numpy.typing.ArrayLike) -> "
                   "dict[str, numpy.ndarray]"),
           "The gradient of the sum of a node's elements over all rows for each of `names`: inputs, "
           "parameters,\n"
           "outputs or nodes, each in its own shape. Raises UsageError for a name that is unknown.")
      .def("encode", &PythonSession::encode, "images"_a,
           nb::sig("def encode(self, images: dict[str, numpy.typing.ArrayLike] | numpy.typing.ArrayLike) -> "
                   "numpy.ndarray"),
           "Output `code`, a row for each image.")
      .def("decode", &PythonSession::decode, "codes"_a,
           nb::sig("def decode(self, codes: numpy.typing.ArrayLike) -> numpy.ndarray"),
           "Output `image`, from values of `latent` (of `code`, when the model names no latent).")
      .def("reconstruct", &PythonSession::reconstruct, "images"_a,
           nb::sig("def reconstruct(self, images: dict[str, numpy.typing.ArrayLike] | "
                   "numpy.typing.ArrayLike) -> numpy.ndarray"),
           "Output `image`, from images, through the whole model.");
}

void bind_state(nb::class_<PythonSession>& session) {
  session
      .def(
          "save",
          [](const PythonSession& self, const nb::object& path) {
            const std::string file = path_of(path);
            self.in_turn([&] { self.session().save(file); });
          },
          "path"_a, nb::sig("def save(self, path: str | os.PathLike) -> None"),
          "Writes a safetensors file with weights, optimizer state and the model; complete or not at all.\n\n"
          "Raises FileError, and NotFiniteError when a gradient has spoilt the state.")
      .def(
          "load",
          [](PythonSession& self, const nb::object& path) {
            const std::string file = path_of(path);
            self.in_turn([&] { self.session().load(file); });
          },
          "path"_a, nb::sig("def load(self, path: str | os.PathLike) -> None"),
          "Continues from such a file. DataError when it does not fit; then nothing has changed.")
      .def(
          "to_bytes",
          [](const PythonSession& self) {
            std::vector<std::byte> bytes;
            self.in_turn([&] { bytes = self.session().save(); });
            return nb::bytes(bytes.data(), bytes.size());
          },
          nb::sig("def to_bytes(self) -> bytes"), "What save() writes, in memory.")
      .def(
          "from_bytes",
          [](PythonSession& self, const nb::bytes& state) {
            const auto* data = static_cast<const std::byte*>(state.data());
            self.in_turn([&] { self.session().load(std::span(data, state.size())); });
          },
          "state"_a, nb::sig("def from_bytes(self, state: bytes) -> None"),
          "As load(), of what to_bytes() gave.")
      .def(
          "export_onnx",
          [](const PythonSession& self, const nb::object& path, std::vector<std::string> part,
             std::vector<std::string> given, bool pixels, std::int64_t opset) {
            const std::string file = path_of(path);
            const OnnxOptions options{std::move(part), std::move(given), pixels, opset};
            self.in_turn([&] { self.session().export_onnx(file, options); });
          },
          "path"_a, nb::kw_only(), "part"_a = std::vector<std::string>{"whole"},
          "given"_a = std::vector<std::string>{}, "pixels"_a = false, "opset"_a = 17,
          nb::sig("def export_onnx(self, path: str | os.PathLike, *, part: collections.abc.Sequence[str] = "
                  "('whole',), given: collections.abc.Sequence[str] = (), pixels: bool = False, opset: int = "
                  "17) -> None"),
          "Writes an ONNX file of the model in evaluation mode. `part`: [\"encoder\"], [\"decoder\"],\n"
          "[\"whole\"] or names; `pixels`: images are uint8 in the file. ModelError names nodes ONNX lacks.")
      .def(
          "weights",
          [](const PythonSession& self) {
            std::optional<Weights> weights;
            self.in_turn([&] { weights = self.session().weights(); });
            return *weights;
          },
          "A copy of the weights as they are, for a Predictor.")
      .def("parameter", &PythonSession::parameter, "name"_a,
           nb::sig("def parameter(self, name: str) -> numpy.ndarray"), "A copy. UsageError: no such name.")
      .def("set_parameter", &PythonSession::set_parameter, "name"_a, "values"_a,
           nb::sig("def set_parameter(self, name: str, values: numpy.typing.ArrayLike) -> None"),
           "Of the parameter's shape: UsageError otherwise.")
      .def(
          "parameters",
          [](const PythonSession& self) {
            nb::dict parameters;
            for (const TensorInfo& info : self.session().model().parameters())
              parameters[info.name.c_str()] = self.parameter(info.name);
            return parameters;
          },
          nb::sig("def parameters(self) -> dict[str, numpy.ndarray]"),
          "Copies of all of them by their names.")
      .def_prop_ro(
          "steps",
          [](const PythonSession& self) {
            std::uint64_t steps = 0;
            self.in_turn([&] { steps = self.session().steps(); });
            return steps;
          },
          "Optimizer steps so far.")
      .def_prop_ro(
          "digest",
          [](const PythonSession& self) {
            std::string digest;
            self.in_turn([&] { digest = self.session().digest(); });
            return digest;
          },
          "SHA-256 over names, shapes and bits of all parameters: equal weights, equal digests.")
      .def_prop_ro(
          "model", [](const PythonSession& self) { return self.session().model(); },
          nb::sig("def model(self) -> Model"));
}

}  // namespace

void bind_session(nb::module_& module) {
  nb::class_<PythonSession> session(
      module, "Session",
      "Trains and runs a model. One thread at a time may use a session; any number of sessions run at "
      "once.\n\n"
      "`Inputs` are a dict of names to arrays, or one array for a model with one input; the rows along the\n"
      "first axis, with as many numbers each as the model says, in any shape. Arrays are NumPy's, or "
      "whatever\n"
      "gives DLPack. float32, int32 and uint8 that are dense are used where they are; others are converted.\n"
      "uint8 given to a float32 input are pixels: they are divided by 255.");
  session.def(
      "__init__",
      [](PythonSession* self, const Model& model, int threads, const std::string& executor,
         const std::string& provider, const std::optional<std::string>& precision,
         std::optional<std::uint64_t> seed, std::optional<std::size_t> max_bytes,
         std::optional<std::int64_t> steps_per_epoch, const nb::object& on_log) {
        const SessionOptions options =
            session_options(threads, executor, provider, precision, seed, max_bytes, steps_per_epoch, on_log);
        released([&] { return new (self) PythonSession(model, options); });
      },
      "model"_a, nb::kw_only(), "threads"_a = 0, "executor"_a = "tbb", "provider"_a = "auto",
      "precision"_a = nb::none(), "seed"_a = nb::none(), "max_bytes"_a = nb::none(),
      "steps_per_epoch"_a = nb::none(), "on_log"_a = nb::none(),
      nb::sig("def __init__(self, model: Model, *, threads: int = 0, executor: str = 'tbb', provider: str = "
              "'auto', "
              "precision: str | None = None, seed: int | None = None, max_bytes: int | None = None, "
              "steps_per_epoch: int | None = None, on_log: collections.abc.Callable[[str], object] | None = "
              "None) "
              "-> None"),
      "Compiles the model and initialises its weights from the seed.\n\n"
      "`threads`: 0 for as many as the process may use; `executor`: tbb, threads or serial; `provider`: "
      "auto,\n"
      "onednn or tiles; `precision` of products, instead of the model's: f32, bf16 (UsageError where the "
      "CPU\n"
      "has no instructions for it) or bf16-emulated; `seed`: instead of the model's; `max_bytes`: of the\n"
      "memory to compute in (raises OutOfMemoryError); `steps_per_epoch`: for schedules in epochs, when\n"
      "train_step() is used; `on_log`: hears what a person may want to know, such as where weights came "
      "from.");
  bind_learning(session);
  bind_use(session);
  bind_state(session);

  nb::class_<Epochs>(module, "Epochs", "Learns an epoch each time it is asked for the next report.")
      .def(
          "__iter__", [](nb::handle self) { return nb::borrow(self); },
          nb::sig("def __iter__(self) -> Epochs"))
      .def("__next__",
           [](Epochs& self) {
             const std::optional<EpochReport> report = self.next();
             if (!report) throw nb::stop_iteration();
             return *report;
           })
      .def("close", &Epochs::close, "Ends the learning at the end of the last epoch.");
}

}  // namespace graphrun::python
