/// \file
/// A program in a session with all that a run of it needs, so that a step allocates nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "language/recipe/definition.hpp"
#include "runtime/execute/session.hpp"
#include "train/datasets/prefetch.hpp"
#include "train/learn/programs.hpp"

namespace graphrun::train {

class CompiledProgram {
 public:
  /// Adds the program to the session. The scheduled inputs of the model and the scalars of the optimizer are
  /// its scalars; all other inputs are the caller's to feed.
  CompiledProgram(Program program, const ModelDefinition& model, runtime::Session& session);
  /// The same of one that others run, from what it is asked(): no session has it.
  CompiledProgram(Program program, const ModelDefinition& model);

  runtime::ProgramId id() const { return id_; }
  const Graph& graph() const { return *program_.graph; }
  const std::vector<std::string>& inputs() const { return inputs_; }

  /// To be set before each run, in this order.
  const std::vector<std::string>& scalars() const { return scalars_; }
  std::span<float> scalar_values() { return scalar_values_; }

  /// What runs copy out, until something else is asked for; names that stay the same are not copied again.
  void fetch(std::span<const std::string> outputs, std::span<float> into);
  /// The same, output by output, in order.
  void fetch(std::size_t index, const std::string& output, std::span<std::byte> into);

  /// Buffers for batches of so many rows of examples; they are kept from call to call.
  PrefetchedBatches& batches_for(const Examples& examples, std::int64_t rows);

  /// Takes what the next run is fed.
  void feed(std::span<const runtime::Feed> feeds);
  /// The same, and allocates all that the run needs.
  void bind(runtime::Session& session, std::span<const runtime::Feed> feeds, std::int64_t rows);
  /// The run as it was asked for.
  runtime::Run asked(std::int64_t rows, const RandomState& random, std::stop_token stop,
                     runtime::SideWork* side) const;
  void run(runtime::Session& session, std::int64_t rows, const RandomState& random, std::stop_token stop,
           runtime::SideWork* side);

 private:
  Program program_;
  runtime::ProgramId id_ = 0;
  std::vector<std::string> inputs_;
  std::vector<std::string> scalars_;
  std::vector<float> scalar_values_;
  std::vector<runtime::Feed> feeds_;  ///< the scalars, then the caller's
  std::vector<runtime::Fetch> fetches_;
  std::optional<PrefetchedBatches> batches_;
};

}  // namespace graphrun::train
