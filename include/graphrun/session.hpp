/// \file
/// Trains and runs a model. A Session owns the weights, the optimizer's state, the memory and the threads.
///
/// It never prints, exits, aborts or installs signal handlers; every failure is an exception derived from
/// graphrun::Error, and a call that throws has changed nothing but where it is said. A Session is used from
/// one thread at a time: Error{usage} tells a second one. Any number of them run at once in different
/// threads. The results are the same bits at any number of threads, on one machine and library version,
/// whatever floating-point settings the host has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "graphrun/error.hpp"
#include "graphrun/export.hpp"
#include "graphrun/model.hpp"
#include "graphrun/predictor.hpp"
#include "graphrun/products.hpp"
#include "graphrun/source.hpp"

namespace graphrun {

/// Who runs the tasks of a step. All three give the same bits.
enum class Executor {
  tbb,      ///< a TBB flow graph in an arena of the session's own
  threads,  ///< plain std::thread
  serial    ///< the calling thread alone
};

struct SessionOptions {
  int threads = 0;  ///< 0: as many as the process may use
  Executor executor = Executor::tbb;
  Provider provider = Provider::automatic;
  std::optional<Precision> precision = {};    ///< of products, instead of the model's
  std::optional<std::uint64_t> seed = {};     ///< instead of the model's
  std::optional<std::size_t> max_bytes = {};  ///< refuse to plan a workspace larger than this: Error{memory}
  /// What train_step counts as an epoch, for schedules in epochs; fit counts its own. Until one of the two
  /// has said it, such schedules stand at their beginning, and a warmup counts as over.
  std::optional<std::int64_t> steps_per_epoch = {};
  /// A tbb::task_arena of the host's, for Executor::tbb: its threads run the tasks, and `threads` must stay
  /// 0. It outlives the session. While a call waits there, its thread may take what others have put into that
  /// arena: such tasks must not use the session. Null: an arena of the session's own.
  void* tbb_arena = nullptr;
  /// Hears what a person may want to know and no call returns: which tensor of a file became which parameter,
  /// what a checkpoint holds that the model does not, which phase begins. A line each, on the thread that is
  /// in the call; it must not use the session. What it throws ends the call and comes out as it is.
  std::function<void(std::string_view line)> on_log = {};
};

/// Values for one input: dense, row-major, the examples along the first axis. u8 given to an f32 input are
/// pixels: they are divided by 255. u8 and i32 go to an i32 input as they are. The memory is borrowed for the
/// duration of the call.
struct InputValues {
  std::string name;
  std::variant<std::span<const float>, std::span<const std::int32_t>, std::span<const std::uint8_t>> values;
};
using Inputs = std::vector<InputValues>;

/// A result: dense, row-major, converted to f32.
struct Tensor {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

/// Means per sample: "loss", and every term and metric by its name.
struct NamedValue {
  std::string name;
  double value = 0;
};
using NamedValues = std::vector<NamedValue>;

struct StepOptions {
  /// How many epochs are done, 2.5 in the middle of the third: schedules in epochs follow it instead of the
  /// count of steps.
  std::optional<double> epoch = {};
  std::stop_token stop = {};  ///< heeded until the first weight changes
};

struct EpochReport {
  std::int64_t epoch = 0;   ///< from 1
  std::uint64_t steps = 0;  ///< since the weights were initialised
  double seconds = 0;       ///< of this epoch
  NamedValues train;        ///< while learning, over the epoch
  /// Of a model that learns in phases: "fine", "tuned, draw 3 of 20", "layers, layer 1 of 4".
  std::string phase = {};
  NamedValues validation = {};  ///< over FitOptions::validation, if given
};

struct FitOptions {
  std::optional<std::int64_t> epochs = {};  ///< instead of the model's `train.epochs`
  std::optional<std::int64_t> batch = {};   ///< instead of the model's `train.batch`
  std::stop_token stop = {};                ///< finishes the step at hand, then throws Error{cancelled}
  /// May look at the session (evaluate, run, save, …). What it throws ends fit() and comes out as it is.
  std::function<void(const EpochReport&)> on_epoch = {};
  /// After each step: steps() and the mean loss of the epoch so far. As on_epoch.
  std::function<void(std::uint64_t steps, double loss)> on_step = {};
  /// Examples that nothing is learnt from, measured after each epoch. `stop:` of the model judges by them;
  /// without them, by what was measured while learning. Borrowed as the examples are.
  std::optional<Inputs> validation = {};
};

/// What export_onnx writes.
struct OnnxOptions {
  /// "encoder": output `code`. "decoder": output `image`, from `latent` or `code`. "whole": all outputs. Else
  /// names of outputs and nodes.
  std::vector<std::string> part = {"whole"};
  std::vector<std::string> given = {};  ///< nodes that become inputs of the file: the graph is cut there
  bool pixels = false;                  ///< images are u8 in the file, and divided there
  std::int64_t opset = 17;              ///< 13 to 21
  /// Of a model of a table: the file takes its columns as they are, one input `columns`, f32 [batch,
  /// columns]: numbers in their units, categories as the places of their values, NaN where a cell is missing.
  bool raw = false;
};

class GRAPHRUN_API Session {
 public:
  /// Compiles the model and initialises its weights: from the seed, and from the files that `weights:` of the
  /// model names. Throws ModelError, Error{memory}; Error{data} for such a file. One that cannot be read is
  /// Error{io} of the first call that needs weights; load() makes up for it.
  explicit Session(const Model& model, const SessionOptions& options = {});
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  // ---- Learning ----

  /// One step of the optimizer on one batch, all or nothing: when it throws, no weight has changed. A stop is
  /// heeded until the first weight changes; later the step is finished and returns.
  /// One exception: a gradient is looked at while it is applied. When one is not finite though the loss is,
  /// weights and the optimizer's state have changed when Error{not_finite} says so; steps() has not. From
  /// then on train_step() and fit() throw and save() refuses that state, until load() brings a good one. With
  /// `alternate`, when a loss is not finite the optimizers before it have changed nothing either.
  /// Figures of a step whose turn it is not are absent.
  NamedValues train_step(const Inputs& batch, std::stop_token stop = {});
  NamedValues train_step(const Inputs& batch, const StepOptions& options);

  /// Learns from all examples for as many more epochs as the model file or `options` say, in seeded random
  /// order. When it throws, the steps before stay: as many as steps() says.
  /// A model whose `train:` has phases, greedy, subset or stop learns as `graphrun train` does it, from where
  /// it stands to its end: to the same bits on the same examples. Error{usage} for `epochs` and `batch` then.
  void fit(const Inputs& examples, const FitOptions& options = {});
  /// The same from a source, whose order is its own. What is left of an epoch after a stop is not taken up. A
  /// phase with `subset: {first: N}` holds the first N rows in memory; Error{usage} for a sample without
  /// `first`. Greedy layers compute what they are given for each batch anew.
  void fit(Source& source, const FitOptions& options = {});

  /// Loss, terms and metrics on other examples. Noise is as the model says for evaluation, from a fixed key.
  NamedValues evaluate(const Inputs& examples, std::stop_token stop = {});

  // ---- Using what was learnt ----
  // A stop ends a call between two batches: Error{cancelled}.

  /// The value of a node or an output by name. Only the inputs it needs must be given; any node may be
  /// given, which cuts the graph there. Error{usage} names what is missing.
  Tensor run(std::string_view output, const Inputs& inputs, std::stop_token stop = {});

  /// The gradient of the sum of a node's elements over all rows, for each of these: inputs, parameters,
  /// outputs or nodes, in the order asked, each in its own shape. As `grad(of, name)` in a model file, in
  /// evaluation mode. Error{usage} for a name that is unknown or whose gradient does not exist.
  std::vector<Tensor> gradients(std::string_view of, std::span<const std::string> names,
                                const Inputs& inputs);

  /// Output `code`, from images.
  Tensor encode(const Inputs& images, std::stop_token stop = {});
  /// Output `image`, from the values of `latent` (of `code`, when the model names no latent).
  Tensor decode(std::span<const float> codes, std::stop_token stop = {});
  /// Output `image`, from images, through the whole model.
  Tensor reconstruct(const Inputs& images, std::stop_token stop = {});

  // ---- State ----

  /// Writes a safetensors file with weights, optimizer state and the model; complete or not at all.
  /// Error{not_finite} when a gradient has spoilt the state, see train_step().
  void save(const std::string& path) const;
  /// The bytes of such a file, for hosts that keep state elsewhere.
  std::vector<std::byte> save() const;
  /// A copy of the weights as they are, for a Predictor; learning goes on without changing it.
  Weights weights() const;
  /// Continues from such a file. Error{data} when it does not fit the model; then nothing has changed.
  void load(const std::string& path);
  void load(std::span<const std::byte> bytes);

  /// Writes an ONNX file of the model in evaluation mode, without noise, with the weights in it; complete or
  /// not at all. ModelError names all nodes that ONNX has nothing for, such as draws; Error{usage} for names
  /// that the model does not have; Error{io}.
  void export_onnx(const std::string& path, const OnnxOptions& options = {}) const;

  Tensor parameter(std::string_view name) const;
  /// Error{usage} when the count of values is not the parameter's.
  void set_parameter(std::string_view name, std::span<const float> values);

  std::uint64_t steps() const;  ///< optimizer steps so far
  /// SHA-256 over names, shapes and bits of all parameters: equal weights have equal digests.
  std::string digest() const;
  const Model& model() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace graphrun
