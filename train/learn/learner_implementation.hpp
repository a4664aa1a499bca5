/// \file
/// What is behind a Learner, for the files that make it up: learning (learner_steps.cpp), measuring and
/// running (learner_rows.cpp).
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "ops/op.hpp"
#include "runtime/products/provider.hpp"
#include "runtime/shards/sharded_program.hpp"
#include "train/learn/compiled_program.hpp"
#include "train/learn/learner.hpp"
#include "train/learn/row_blocks.hpp"
#include "train/learn/variable_copies.hpp"

namespace graphrun::train {

class Learner::Implementation {
 public:
  /// What is done with a batch, compiled.
  struct Learning {
    struct Step {
      CompiledProgram program;
      OptimizerRecipe optimizer;
      std::uint64_t every = 1;
      std::vector<std::string> outputs;  ///< behind its figures
      VariableCopies before;             ///< what it updates, where another step may fail after it
      std::unique_ptr<runtime::ShardedProgram> sharded;  ///< runs in place of the program; null: one shard
      bool is_due(std::uint64_t batch) const { return batch % every == 0; }  ///< batches count from 1
    };
    std::vector<Step> steps;
    std::vector<std::string> inputs;
    std::vector<std::string> figures;
  };

  Implementation(std::shared_ptr<const ModelDefinition> model, const runtime::SessionOptions& options,
                 const PassOptions& passes)
      : model_(std::move(model)),
        passes_(at(precision_of(options), passes)),
        learning_passes_(passes_),
        session_(ops::registry(), ops::kernels(), at(passes_.precision, options)) {
    learning_passes_.budget = std::make_shared<Budget>(model_->budget);
    if (model_->train) state_.seed = model_->train->seed;
    declare_parameters();
  }

  std::shared_ptr<const ModelDefinition> model_;
  PassOptions passes_;
  PassOptions learning_passes_;  ///< of all learning together
  runtime::Session session_;
  TrainingState state_;
  std::shared_ptr<runtime::Team> team_ = std::make_shared<runtime::Alone>();
  std::vector<Learning> learnings_;
  std::size_t in_use_ = 0;
  std::optional<CompiledProgram> evaluation_;
  std::map<std::pair<std::vector<NodeId>, std::vector<std::string>>, CompiledProgram>
      roles_;  ///< by outputs, fed
  std::map<std::tuple<NodeId, std::vector<NodeId>, std::vector<std::string>>, CompiledProgram>
      gradients_;  ///< by what has them, for what, fed

  // ---- Learning: learner_steps.cpp ----

  Learning& training();
  std::size_t add_steps(const BatchSteps& steps);
  std::int64_t shards() const { return model_->train ? model_->train->shards.value_or(1) : 1; }
  /// All that a step on so many rows needs.
  void prepare(Learning::Step& step, std::int64_t rows);

  /// All that may fail without a fault in the numbers comes before the first update. When one of several
  /// steps fails, those before it are undone.
  void step(std::span<const runtime::Feed> feeds, std::int64_t rows, std::uint64_t first_row,
            std::span<float> figures, std::stop_token stop, runtime::SideWork* side);

  // ---- Measuring and running: learner_rows.cpp ----

  CompiledProgram& evaluation();
  /// Its outputs are called as their nodes.
  CompiledProgram& role(const std::vector<NamedOutput>& outputs, const std::vector<std::string>& fed);

  CompiledProgram& gradient(NodeId of, const std::vector<NamedOutput>& wanted,
                            const std::vector<std::string>& fed);
  std::vector<NamedOutput> asked(const std::vector<std::string>& names) const;
  /// Batches are dealt out to the members of the team; what they give is added in the order of the batches.
  Figures evaluate(const Examples& examples, const std::stop_token& stop);
  void run_role(const std::vector<NamedOutput>& outputs, const Examples& examples,
                std::span<const std::span<std::byte>> into, const RowOptions& options);
  std::vector<OutputValues> run_role(const std::vector<NamedOutput>& outputs, const Examples& examples,
                                     const RowOptions& options);
  std::vector<OutputValues> gradients(NodeId of, const std::vector<NamedOutput>& wanted,
                                      const Examples& examples);

 private:
  Precision precision_of(const runtime::SessionOptions& options) const {
    const Precision precision = options.lowering.precision.value_or(model_->precision());
    runtime::require(precision);
    return precision;
  }
  static PassOptions at(Precision precision, PassOptions passes) {
    passes.precision = precision;
    return passes;
  }
  static runtime::SessionOptions at(Precision precision, runtime::SessionOptions options) {
    options.lowering.precision = precision;
    return options;
  }
  static bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
  }
  void declare_parameters();
  std::size_t add_compiled(const BatchSteps& steps);
  CompiledProgram compile(Program program) { return {std::move(program), *model_, session_}; }
  CompiledProgram compile_step(Program program);
  Error no_memory_to_compile() const;

  std::unique_ptr<runtime::ShardedProgram> in_shards(const Graph& graph);

  /// One step of one optimizer; its noise is its own.
  void update(Learning::Step& step, std::int64_t rows, std::uint64_t first_row, const std::stop_token& stop,
              runtime::SideWork* side);

  void throw_if_spoilt() const;
  std::string advice_on_gradient(const std::string& parameter) const;

  /// What the host computes for a step: schedules, and what the optimizer needs after so many updates.
  void set_scalars(CompiledProgram& compiled, const OptimizerRecipe& optimizer, std::uint64_t updates) const;

  /// A schedule may grow for as long as a run lasts.
  Error too_large(const std::string& scalar, double value) const;

  /// What the outputs of a program over so many rows need, without their bytes.
  std::vector<OutputValues> outputs_over(const std::vector<NamedOutput>& outputs, std::int64_t rows) const;
  void require_rows(const std::vector<NamedOutput>& outputs) const;

  /// The next block is gathered while one runs.
  template <class Before, class After>
  void run_blocks(CompiledProgram& compiled, const Examples& examples, const std::vector<RowBlock>& blocks,
                  const RowOptions& options, Before before, After after);

  FigureNames evaluation_names_;
};

}  // namespace graphrun::train
