#include "graphrun/predictor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "api/boundary.hpp"
#include "api/type.hpp"
#include "api/weights.hpp"
#include "errors/nearest.hpp"
#include "ops/op.hpp"
#include "runtime/execute/pool.hpp"
#include "runtime/lower/rows.hpp"
#include "runtime/machine/isa.hpp"
#include "runtime/state/philox.hpp"
#include "train/datasets/pixels.hpp"
#include "train/learn/programs.hpp"
#include "train/learn/row_blocks.hpp"

namespace graphrun {

namespace {

using WeightsPointer = std::shared_ptr<const Weights::Implementation>;

constexpr const char* noun = "predictor";

/// What is given or asked for at one position of a call.
struct Slot {
  std::string name;  ///< as the host calls it
  std::string node;
  Type type;
  std::int64_t row_elements = 0;
};

std::size_t count_of(const auto& span) {
  return std::visit([](const auto& values) { return values.size(); }, span);
}

Slot slot_of(const ModelDefinition& model, const std::string& name, NodeId id) {
  const Node& node = model.graph.node(id);
  if (node.type.shape.empty() || !node.type.shape.front().is_batch())
    throw Error(ErrorCode::usage,
                fmt::format("'{}' is {}: a predictor takes and gives values with a row for each example",
                            name, to_string(node.type)));
  return {name, node.name, node.type, element_count(bind(node.type.shape, std::int64_t{1}))};
}

}  // namespace

class Predictor::Implementation {
 public:
  Implementation(const Model& model, const Weights& weights, const PredictorOptions& options)
      : model_(model), weights_(weights.implementation()) {
    const ModelDefinition& definition = model_.definition();
    for (const std::string& name : options.outputs)
      outputs_.push_back(slot_of(definition, name, train::asked_node(definition, name)));
    if (outputs_.empty())
      outputs_.push_back(slot_of(definition, "code", train::asked_node(definition, "code")));
    for (const std::string& name : options.inputs)
      inputs_.push_back(slot_of(definition, name, train::given_node(definition, name)));
    const Precision precision = precision_of(definition, options);
    const train::Program program = program_of(definition, precision);
    take_inputs(definition, program);
    independent_ = runtime::rows_are_independent(*program.graph);
    runtime::SessionOptions session;
    session.max_bytes = options.max_bytes;
    session.pages = runtime::Pages::small;
    session.lowering.provider = api::provider_choice(options.provider);
    session.lowering.precision = precision;
    require_fit(*weights_, program);
    program_ = std::make_unique<runtime::SharedProgram>(program.graph, ops::kernels(), session);
  }

  std::vector<TensorInfo> infos(const std::vector<Slot>& slots) const {
    std::vector<TensorInfo> all;
    for (const Slot& slot : slots) all.push_back(api::info_of(slot.name, slot.type));
    return all;
  }
  const std::vector<Slot>& inputs() const { return inputs_; }
  const std::vector<Slot>& outputs() const { return outputs_; }

  void prepare(std::int64_t rows, int threads) {
    if (rows < 1 || threads < 1)
      throw Error(ErrorCode::usage,
                  fmt::format("there is nothing to prepare for {} rows in {} threads", rows, threads));
    const WeightsPointer weights = current();
    const auto runs = static_cast<std::size_t>(threads);
    if (!independent_) return program_->prepare(weights->variables, rows, runs);
    // Every count up to `rows` is made of such blocks.
    for (std::int64_t count = 1; count <= std::min(rows, train::largest_block);
         count = count < train::smallest_block ? count + 1 : 2 * count)
      program_->prepare(weights->variables, count, runs);
    make_scratch(std::min(rows, train::largest_block), runs);
  }

  void predict(std::span<const InputSpan> given, std::span<const OutputSpan> asked,
               const std::stop_token& stop) {
    const std::int64_t rows = checked_rows(given);
    check_outputs(asked, rows);
    const WeightsPointer weights = current();
    const runtime::Pool<Scratch>::Lease scratch = scratch_.take([&] { return make(); });
    set_scalars(*scratch, *weights);
    for (train::RowBlock block{0, 0}; block.first + block.count < rows;) {
      block =
          independent_ ? train::next_row_block(block.first + block.count, rows) : train::RowBlock{0, rows};
      run_block(*scratch, *weights, given, asked, block, stop);
    }
  }

  void swap_weights(const Weights& weights) {
    require_variables(*weights.implementation());
    WeightsPointer fresh = weights.implementation();
    const std::lock_guard lock(mutex_);
    weights_.swap(fresh);
  }

  WeightsPointer current() const {
    const std::lock_guard lock(mutex_);
    return weights_;
  }

 private:
  /// What a call has for itself beside the program's memory.
  struct Scratch {
    std::vector<std::vector<float>> pixels;  ///< by input: u8 as f32
    std::vector<std::vector<std::int32_t>> labels;
    std::vector<float> scalars;
    std::vector<runtime::Feed> feeds;  ///< inputs, then scalars
    std::vector<runtime::Fetch> fetches;
  };

  std::unique_ptr<Scratch> make() const {
    auto made = std::make_unique<Scratch>();
    made->pixels.resize(inputs_.size());
    made->labels.resize(inputs_.size());
    made->scalars.resize(scalars_.size());
    for (const Slot& input : inputs_) made->feeds.push_back({input.node, {}});
    for (const std::string& name : scalars_) made->feeds.push_back({name, {}});
    for (std::size_t i = 0; i < scalars_.size(); ++i)
      made->feeds[inputs_.size() + i].bytes = std::as_bytes(std::span(made->scalars).subspan(i, 1));
    for (const Slot& output : outputs_) made->fetches.push_back({output.node, {}});
    return made;
  }

  /// Room for inputs that are converted.
  void make_scratch(std::int64_t rows, std::size_t runs) {
    const auto make_room = [&](Scratch& scratch) {
      for (std::size_t i = 0; i < inputs_.size(); ++i) {
        const auto elements = static_cast<std::size_t>(checked_multiply(rows, inputs_[i].row_elements));
        if (inputs_[i].type.dtype == DType::i32)
          scratch.labels[i].reserve(elements);
        else
          scratch.pixels[i].reserve(elements);
      }
    };
    scratch_.prepare(
        runs, [&] { return make(); }, make_room);
  }

  static Precision precision_of(const ModelDefinition& definition, const PredictorOptions& options) {
    const Precision precision = options.precision.value_or(definition.precision());
    runtime::require(precision);
    return precision;
  }

  train::Program program_of(const ModelDefinition& definition, Precision precision) const {
    std::vector<NamedOutput> outputs;
    for (const Slot& output : outputs_) {
      const NodeId id = *definition.graph.find(output.node);
      if (std::ranges::find(outputs, id, &NamedOutput::node) == outputs.end())
        outputs.push_back({output.node, id});
    }
    std::vector<std::string> fed;
    for (const Slot& input : inputs_) fed.push_back(input.node);
    PassOptions passes;
    passes.precision = precision;
    return train::role_program(definition, ops::registry(), outputs, fed, passes);
  }

  /// What the program needs is a schedule's, or given by calls.
  void take_inputs(const ModelDefinition& definition, const train::Program& program) {
    const bool chosen = !inputs_.empty();
    for (const train::ProgramInput& input : program.inputs) {
      if (std::ranges::find(definition.scheduled, input.name, &ScheduledInput::name) !=
          definition.scheduled.end()) {
        scalars_.push_back(input.name);
        continue;
      }
      if (std::ranges::find(inputs_, input.name, &Slot::node) != inputs_.end()) continue;
      if (chosen)
        throw Error(ErrorCode::usage,
                    fmt::format("input '{}' is needed and not among the predictor's inputs", input.name));
    }
    if (chosen) return;
    for (const ModelInput& input : definition.inputs)
      if (std::ranges::find(program.inputs, input.name, &train::ProgramInput::name) != program.inputs.end())
        inputs_.push_back(slot_of(definition, input.name, *definition.graph.find(input.name)));
    if (inputs_.empty())
      throw Error(ErrorCode::usage,
                  "the outputs need no input, so no call would say how many rows they have; "
                  "name a node to be given with PredictorOptions::inputs");
  }

  void require_fit(const Weights::Implementation& weights, const train::Program& program) {
    for (const Node& node : program.graph->nodes())
      if (node.op->traits.variable) variables_.push_back({node.name, bind(node.type.shape, std::int64_t{1})});
    require_variables(weights);
  }

  void require_variables(const Weights::Implementation& weights) const {
    for (const auto& [name, extents] : variables_) {
      const runtime::VariableStore::Variable* found = weights.learner.variables().find(name);
      if (found == nullptr || found->extents != extents)
        throw Error(ErrorCode::usage,
                    fmt::format("the weights are of another model: this one needs '{}' of the shape {}", name,
                                to_string(extents)));
    }
  }

  std::int64_t checked_rows(std::span<const InputSpan> given) const {
    if (given.size() != inputs_.size())
      throw Error(ErrorCode::usage,
                  fmt::format("the predictor takes {} inputs, not {}", inputs_.size(), given.size()));
    std::int64_t rows = 0;
    for (std::size_t i = 0; i < given.size(); ++i) {
      const Slot& slot = inputs_[i];
      check_type(slot, given[i]);
      const auto count = static_cast<std::int64_t>(count_of(given[i]));
      if (count == 0 || count % slot.row_elements != 0)
        throw Error(ErrorCode::usage, fmt::format("'{}' is {}: {} values are no whole number of rows of {}",
                                                  slot.name, to_string(slot.type), count, slot.row_elements));
      if (i > 0 && count / slot.row_elements != rows)
        throw Error(ErrorCode::usage, fmt::format("'{}' has {} rows and '{}' {}", slot.name,
                                                  count / slot.row_elements, inputs_.front().name, rows));
      rows = count / slot.row_elements;
    }
    return rows;
  }

  static void check_type(const Slot& slot, const InputSpan& given) {
    const bool whole = slot.type.dtype == DType::i32;
    if (std::holds_alternative<std::span<const std::uint8_t>>(given)) return;
    if (std::holds_alternative<std::span<const std::int32_t>>(given) == whole) return;
    throw Error(ErrorCode::usage, fmt::format("'{}' is {}; {} values do not fit it", slot.name,
                                              to_string(slot.type), whole ? "float" : "int32"));
  }

  void check_outputs(std::span<const OutputSpan> asked, std::int64_t rows) const {
    if (asked.size() != outputs_.size())
      throw Error(ErrorCode::usage,
                  fmt::format("the predictor gives {} outputs, not {}", outputs_.size(), asked.size()));
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const Slot& slot = outputs_[i];
      const bool whole = slot.type.dtype == DType::i32;
      if (std::holds_alternative<std::span<std::int32_t>>(asked[i]) != whole)
        throw Error(ErrorCode::usage, fmt::format("'{}' is {}, which goes to {} values", slot.name,
                                                  to_string(slot.type), whole ? "int32" : "float"));
      const std::int64_t count = checked_multiply(rows, slot.row_elements);
      if (static_cast<std::int64_t>(count_of(asked[i])) != count)
        throw Error(ErrorCode::usage, fmt::format("'{}' has {} values for {} rows; room is given for {}",
                                                  slot.name, count, rows, count_of(asked[i])));
    }
  }

  void set_scalars(Scratch& scratch, const Weights::Implementation& weights) const {
    for (std::size_t i = 0; i < scalars_.size(); ++i) {
      const auto& scheduled = model_.definition().scheduled;
      const auto found = std::ranges::find(scheduled, scalars_[i], &ScheduledInput::name);
      scratch.scalars[i] = static_cast<float>(value_at(found->schedule, weights.progress()));
    }
  }

  std::span<const std::byte> converted(Scratch& scratch, std::size_t input, const InputSpan& given,
                                       const train::RowBlock& block) const {
    const auto row = static_cast<std::size_t>(inputs_[input].row_elements);
    const std::size_t first = row * static_cast<std::size_t>(block.first);
    const std::size_t count = row * static_cast<std::size_t>(block.count);
    if (const auto* floats = std::get_if<std::span<const float>>(&given))
      return std::as_bytes(floats->subspan(first, count));
    if (const auto* wholes = std::get_if<std::span<const std::int32_t>>(&given))
      return std::as_bytes(wholes->subspan(first, count));
    const auto bytes = std::get<std::span<const std::uint8_t>>(given).subspan(first, count);
    if (inputs_[input].type.dtype == DType::i32) {
      scratch.labels[input].assign(bytes.begin(), bytes.end());
      return std::as_bytes(std::span(scratch.labels[input]));
    }
    scratch.pixels[input].resize(count);
    train::unit_interval(bytes, scratch.pixels[input].data(), runtime::detected_isa());
    return std::as_bytes(std::span(scratch.pixels[input]));
  }

  void run_block(Scratch& scratch, const Weights::Implementation& weights, std::span<const InputSpan> given,
                 std::span<const OutputSpan> asked, const train::RowBlock& block,
                 const std::stop_token& stop) {
    for (std::size_t i = 0; i < given.size(); ++i)
      scratch.feeds[i].bytes = converted(scratch, i, given[i], block);
    for (std::size_t i = 0; i < asked.size(); ++i)
      scratch.fetches[i].bytes = std::visit(
          [&](const auto& values) {
            const auto row = static_cast<std::size_t>(outputs_[i].row_elements);
            return std::as_writable_bytes(values.subspan(row * static_cast<std::size_t>(block.first),
                                                         row * static_cast<std::size_t>(block.count)));
          },
          asked[i]);
    program_->run(weights.variables,
                  {.batch = block.count,
                   .feeds = scratch.feeds,
                   .fetches = scratch.fetches,
                   .random = {.seed = 0,
                              .domain = static_cast<std::uint32_t>(runtime::RandomDomain::evaluation),
                              .step = 0,
                              .first_row = static_cast<std::uint64_t>(block.first)},
                   .stop = stop});
  }

  Model model_;
  std::vector<Slot> inputs_;
  std::vector<Slot> outputs_;
  std::vector<std::string> scalars_;  ///< what schedules give
  std::vector<std::pair<std::string, Extents>> variables_;
  bool independent_ = false;
  std::unique_ptr<runtime::SharedProgram> program_;
  mutable std::mutex mutex_;  // of the weights
  WeightsPointer weights_;
  runtime::Pool<Scratch> scratch_;
};

Predictor::Predictor(const Model& model, const Weights& weights, const PredictorOptions& options)
    : implementation_(
          api::at_boundary([&] { return std::make_unique<Implementation>(model, weights, options); })) {}
Predictor::~Predictor() = default;
Predictor::Predictor(Predictor&&) noexcept = default;
Predictor& Predictor::operator=(Predictor&&) noexcept = default;

std::vector<TensorInfo> Predictor::inputs() const {
  return api::at_boundary([&] {
    const Implementation& held = api::held_by(implementation_, noun);
    return held.infos(held.inputs());
  });
}
std::vector<TensorInfo> Predictor::outputs() const {
  return api::at_boundary([&] {
    const Implementation& held = api::held_by(implementation_, noun);
    return held.infos(held.outputs());
  });
}
void Predictor::prepare(std::int64_t rows, int threads) const {
  api::at_boundary([&] { api::held_by(implementation_, noun).prepare(rows, threads); });
}
void Predictor::predict(std::span<const InputSpan> inputs, std::span<const OutputSpan> outputs,
                        std::stop_token stop) const {
  api::at_boundary([&] { api::held_by(implementation_, noun).predict(inputs, outputs, stop); });
}
void Predictor::predict(InputSpan input, OutputSpan output) const {
  predict(std::span(&input, 1), std::span(&output, 1));
}
void Predictor::swap_weights(const Weights& weights) {
  api::at_boundary([&] { api::held_by(implementation_, noun).swap_weights(weights); });
}
Weights Predictor::weights() const {
  return api::at_boundary([&] { return Weights(api::held_by(implementation_, noun).current()); });
}

}  // namespace graphrun
