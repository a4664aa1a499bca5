/// \file
/// Runs a trained model inside a program: one Predictor serves any number of threads at once, and its weights
/// may be replaced while it does.
///
///     const graphrun::Model model = graphrun::Model::load("models/autoencoder.yaml");
///     const graphrun::Predictor predictor(model, graphrun::Weights::load(model, "runs/autoencoder-1/…"));
///     predictor.predict(pixels, codes);   // spans of the caller's memory
///
/// The results are the same bits as those of a Session with the same provider. Failures are exceptions
/// derived from graphrun::Error; a call that throws may have written part of its outputs, and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "graphrun/error.hpp"
#include "graphrun/export.hpp"
#include "graphrun/model.hpp"
#include "graphrun/products.hpp"

namespace graphrun {

/// Values of all parameters and running averages of a model, and where schedules stood. Immutable, cheap to
/// copy: copies share the values. May be used from any thread.
class GRAPHRUN_API Weights {
 public:
  /// From a checkpoint, or any safetensors file that has the model's parameters under their names and in
  /// their shapes, of f32, f16, bf16 or f64. Error{data} when one is missing or has another shape; Error{io}.
  static Weights load(const Model& model, const std::string& path);
  /// The same of such a file's bytes.
  static Weights load(const Model& model, std::span<const std::byte> bytes);

  Weights(const Weights&);
  Weights(Weights&&) noexcept;
  Weights& operator=(const Weights&);
  Weights& operator=(Weights&&) noexcept;
  ~Weights();

  const Model& model() const;
  /// As Session::digest().
  std::string digest() const;

  /// The library's own view; of no use outside it.
  class Implementation;
  explicit Weights(std::shared_ptr<const Implementation> implementation);
  const std::shared_ptr<const Implementation>& implementation() const { return implementation_; }

 private:
  std::shared_ptr<const Implementation> implementation_;
};

struct PredictorOptions {
  /// What calls give back: names of `outputs:` or of nodes. Empty: "code".
  std::vector<std::string> outputs = {};
  /// What calls give: names of inputs, of `outputs:` or of nodes; a node that is given is cut off from what
  /// it was computed from. Empty: the inputs that the outputs need, in the order of the file.
  std::vector<std::string> inputs = {};
  /// Refuse a call that needs more memory to compute in: Error{memory}.
  std::optional<std::size_t> max_bytes = {};
  /// As SessionOptions::provider: a session with the same one has the same bits.
  Provider provider = Provider::automatic;
  std::optional<Precision> precision = {};  ///< of products, instead of the model's
};

/// Values of one input: dense, row-major, rows along the first axis. u8 given to an f32 input are pixels:
/// they are divided by 255. u8 and i32 go to an i32 input as they are.
using InputSpan =
    std::variant<std::span<const float>, std::span<const std::int32_t>, std::span<const std::uint8_t>>;

/// Where one output goes: exactly its elements, in the type that outputs() says.
using OutputSpan = std::variant<std::span<float>, std::span<std::int32_t>>;

class GRAPHRUN_API Predictor {
 public:
  /// Compiles the part of the model that the outputs need. Error{usage} for a name that the model does not
  /// have, or when an output needs an input that calls do not give.
  Predictor(const Model& model, const Weights& weights, const PredictorOptions& options = {});
  ~Predictor();
  Predictor(Predictor&&) noexcept;
  Predictor& operator=(Predictor&&) noexcept;

  std::vector<TensorInfo> inputs() const;   ///< in the order in which predict() takes them
  std::vector<TensorInfo> outputs() const;  ///< in the order in which predict() gives them

  /// Makes room for calls of up to so many rows in so many threads at once: such calls allocate nothing.
  /// Any thread.
  void prepare(std::int64_t rows, int threads = 1) const;

  /// Computes the outputs for all rows, on the calling thread alone. Any thread. A call for which there is no
  /// room yet makes it first, and keeps it. Where no row depends on another, any number of rows is computed
  /// in blocks of at most 512. Error{usage} when counts or types of values do not fit; Error{cancelled} after
  /// a stop.
  void predict(std::span<const InputSpan> inputs, std::span<const OutputSpan> outputs,
               std::stop_token stop = {}) const;

  /// The same of a model with one input and one output.
  void predict(InputSpan input, OutputSpan output) const;

  /// Replaces the weights. Calls that run meanwhile end with those they began with; later ones have the new
  /// ones. Any thread. Error{usage} when they are of a model with other parameters.
  void swap_weights(const Weights& weights);
  Weights weights() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace graphrun
