/// \file
/// One model with its weights: learns a batch, measures examples, runs what `outputs:` names. The loop, the
/// command line and the public Session stand on it. Used from one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "language/recipe/definition.hpp"
#include "runtime/execute/session.hpp"
#include "runtime/shards/team.hpp"
#include "train/datasets/examples.hpp"
#include "train/learn/figures.hpp"
#include "train/learn/learning_step.hpp"
#include "train/learn/state.hpp"

namespace graphrun {
struct PassOptions;
}

namespace graphrun::train {

/// The value of an output over some rows, in its own element type.
struct OutputValues {
  std::string name;
  Type type;
  Extents extents;
  std::vector<std::byte> bytes;
};
std::span<const float> as_floats(const OutputValues& output);  ///< throws Error{usage} if it is not f32

/// Rows are measured and run in batches of this many: enough to keep the kernels busy, little memory.
inline constexpr std::int64_t evaluation_batch = 500;

/// How the rows of a call are run.
struct RowOptions {
  /// Rows that depend on each other run as one batch; otherwise in batches of evaluation_batch.
  bool together = false;
  std::uint64_t first_row = 0;  ///< the number of the first row, which its noise is drawn by
  std::uint64_t seed = 0;       ///< of the noise
  std::stop_token stop = {};
};

class Learner {
 public:
  /// Compiles nothing yet. Throws Error{model} when the model has no loss or no `train:` and is trained.
  Learner(std::shared_ptr<const ModelDefinition> model, const runtime::SessionOptions& options);
  /// The same with some passes off, or watched.
  Learner(std::shared_ptr<const ModelDefinition> model, const runtime::SessionOptions& options,
          const PassOptions& passes);
  ~Learner();
  Learner(Learner&&) noexcept;
  Learner& operator=(Learner&&) noexcept;

  const ModelDefinition& model() const;
  /// Where the run stands; the loop moves it on.
  TrainingState& state();
  const TrainingState& state() const;
  runtime::VariableStore& variables();
  const runtime::VariableStore& variables() const;
  runtime::Session& session();
  const runtime::Session& session() const;

  /// Gives every variable that has no value its first one, from state().seed.
  void initialise();

  /// Gives every variable of the model its first value anew, from this seed.
  void initialise_again(std::uint64_t seed);

  /// The values of the model's variables, by name.
  using Weights = std::map<std::string, std::vector<float>>;
  Weights weights() const;
  /// Those that the model has.
  void set_weights(const Weights& weights);
  /// Weights put aside, which checkpoints carry: by the phase at whose end they were, or what else they are.
  std::map<std::string, Weights>& kept() { return kept_; }
  const std::map<std::string, Weights>& kept() const { return kept_; }

  // ---- With others ----

  /// Learns and measures with other processes from now on; before anything is compiled. All members make the
  /// same calls. By default it is alone.
  void join(std::shared_ptr<runtime::Team> team);
  runtime::Team& team();
  /// The state of optimizers of which each member has a part: all of it, on the first member; nothing where
  /// there are no parts, and on the others. Error{cancelled} when others have gone with theirs.
  Weights collected_slots();
  /// The rows of a batch of so many that this member is given.
  runtime::ShardRange own_rows(std::int64_t rows) const;

  // ---- Learning ----

  /// Compiles what is done with a batch and gives it a number; the steps of the model's first phase, if none
  /// are added, are compiled when they are needed. Error{model} when a step has nothing to learn.
  std::size_t add_steps(const BatchSteps& steps);
  /// What all that follows is about, until another is chosen.
  void use_steps(std::size_t number);
  /// Gives the optimizers their first state again.
  void reset_optimizers();

  /// Makes the plans of the steps in use for a batch size: everything that a step needs.
  void prepare_steps(std::int64_t batch);
  /// The same. The plan of its first step, for a whole batch at once.
  const runtime::Plan& prepare_training(std::int64_t batch);
  /// What is done with a batch, in turns where steps alternate.
  struct TrainingStep {
    const Graph* graph = nullptr;
    const runtime::Plan* plan = nullptr;  ///< for a whole batch at once
    double share = 1;                     ///< of the batches that it is done with
  };
  /// The steps in use. What they point to stays until others are used, or plans of many other sizes.
  std::vector<TrainingStep> training_steps(std::int64_t batch);
  runtime::ProgramId training_program();               ///< of the first step
  const Graph& training_graph();                       ///< of the first step
  const std::vector<std::string>& training_inputs();   ///< that a batch must bring
  const std::vector<std::string>& training_figures();  ///< each step's "loss", and the terms that are learnt

  /// Does the steps in use with a batch of so many rows, one after the other: feeds are by input name
  /// and hold own_rows(rows) of it. Moves state().step on and writes a value for each figure: NaN for a step
  /// whose turn it was not. A stop is heeded until the first update of the first step; then all are done.
  /// Error{not_finite} names the node; nothing has changed then, also not by the steps of the batch that came
  /// before the failed one, unless a gradient alone was not finite (see spoilt()). Every other error comes
  /// before the first update. `side` is done meanwhile.
  void step(std::span<const runtime::Feed> feeds, std::int64_t rows, std::uint64_t first_row,
            std::span<float> figures, std::stop_token stop = {}, runtime::SideWork* side = nullptr);

  /// The parameter whose gradient was not finite while the loss was: it is updated by then, and so are
  /// others. Such a state is not saved; restore() of a good one ends it. Null when there is none.
  const std::string* spoilt() const;

  // ---- Measuring and running ----

  /// Makes the evaluation program and its plans for so many examples.
  void prepare_evaluation(std::int64_t examples);
  /// Loss, terms and metrics over all examples. Noise comes from a fixed key, row by row.
  Figures evaluate(const Examples& examples, std::stop_token stop = {});

  /// What users ask for by these names (asked_node()) over examples, which may be columns for any nodes,
  /// under the nodes' own names: a node that has a column is cut off from what it was computed from. Columns
  /// that no output needs are left aside. Where no row depends on another, any number of rows runs in blocks
  /// of a few sizes. Error{usage} names the inputs that are needed and not given, and an output without rows
  /// that would be run in batches.
  std::vector<OutputValues> run(const std::vector<std::string>& outputs, const Examples& examples,
                                const RowOptions& options = {});
  /// The same of one node.
  OutputValues run(NodeId output, const Examples& examples, const RowOptions& options = {});
  /// The same into memory of the caller's: for each output the bytes of all its rows.
  void run(const std::vector<std::string>& outputs, const Examples& examples,
           std::span<const std::span<std::byte>> into, const RowOptions& options = {});

  /// The gradient of the sum of what users call `of` over all examples, for each node of these names: inputs,
  /// parameters, outputs or others. Evaluation mode; columns as above.
  std::vector<OutputValues> gradients(std::string_view of, const std::vector<std::string>& names,
                                      const Examples& examples);

  /// SHA-256 over names, extents and bits of all parameters, optimizer state aside.
  std::string digest() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
  std::map<std::string, Weights> kept_;
};

}  // namespace graphrun::train
