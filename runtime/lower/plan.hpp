/// \file
/// What lowering makes of a graph for one batch size: kernels bound to places in memory, cut into row slices
/// and gathered into tasks. Immutable after it is made; any number of sessions may run one plan at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "graph/op.hpp"
#include "graph/precision.hpp"
#include "runtime/kernels/kernel.hpp"
#include "runtime/machine/aligned.hpp"
#include "runtime/products/matmul.hpp"
#include "runtime/products/provider.hpp"

namespace graphrun::runtime {

/// Where bytes lie while a plan runs.
enum class Space : std::uint8_t { workspace, scratch, variable, feed, constant };
struct Place {
  Space space = Space::workspace;
  std::uint32_t index = 0;    ///< variable, feed: which one
  std::ptrdiff_t offset = 0;  ///< in bytes from its start
};

/// What a unit does to a step that must be all or nothing.
enum class UnitRole : std::uint8_t {
  compute,
  check,  ///< an effect that writes nothing: may end the step
  update  ///< an effect that writes variables: the first one commits the step
};

/// One kernel on one range of rows. Its places are Plan::places[first_place...]: inputs, then written, then
/// the output if it has one.
struct Unit {
  const Call* call = nullptr;  ///< null: a product
  std::uint32_t matmul = 0;    ///< which Plan::products entry, when call is null
  std::uint32_t product = 0;   ///< numbers the units that are products: each is bound on its own
  std::uint32_t first_place = 0;
  std::uint16_t inputs = 0;
  std::uint16_t written = 0;
  bool output = false;
  UnitRole role = UnitRole::compute;
  NodeId node = 0;         ///< the last node it computes
  std::uint32_t flag = 0;  ///< update: which non-finite flag it sets
  std::int64_t row_begin = 0;
  std::int64_t row_count = 0;
  std::uint32_t first_soon = 0;  ///< a product: Plan::soon[first_soon...] is used right after it
  std::uint32_t soon = 0;
  std::uint32_t first_made = 0;  ///< Plan::made[first_made...]: outputs of which it makes a part
  std::uint32_t made = 0;
};

/// What something takes on a core: predictions (predict.hpp) say how long that is on a machine.
struct Work {
  double flop = 0;          ///< of products, as many more as their shape costs
  double cached_bytes = 0;  ///< read and written near the core
  double stored_bytes = 0;  ///< of variables and slots that do not stay in a cache from step to step
  double other_ns = 0;

  Work operator*(double share) const {
    return {flop * share, cached_bytes * share, stored_bytes * share, other_ns * share};
  }
  Work& operator+=(const Work& more) {
    flop += more.flop;
    cached_bytes += more.cached_bytes;
    stored_bytes += more.stored_bytes;
    other_ns += more.other_ns;
    return *this;
  }
};

/// Units that run one after the other on one thread: Plan::units[first_unit...].
struct Task {
  std::uint32_t first_unit = 0;
  std::uint32_t units = 0;
  std::uint32_t dependencies = 0;  ///< how many tasks must end before it starts
  std::uint32_t first_successor = 0;
  std::uint32_t successors = 0;  ///< Plan::successors[first_successor...]
  double nanoseconds = 0;        ///< by the cost model; only choices between equal results follow it
  Work work;                     ///< for predictions alone
};

/// Part of a variable.
struct VariableRows {
  std::uint32_t variable = 0;  ///< Plan::variables
  std::size_t offset = 0;      ///< in bytes
  std::size_t bytes = 0;
};

struct PlanInput {
  std::string name;
  DType dtype = DType::f32;
  Extents extents;
  std::size_t bytes = 0;
};
struct PlanOutput {
  std::string name;
  DType dtype = DType::f32;
  Extents extents;
  std::size_t bytes = 0;
  Place place;
  std::uint32_t units = 0;  ///< how many make it; none makes an input, a constant or a variable
};
struct PlanVariable {
  std::string name;
  Extents extents;
};
/// keep_values: where each node's value is found after a run.
struct PlanValue {
  NodeId node = 0;
  std::size_t bytes = 0;
  Place place;
};

struct PlanStatistics {
  std::int64_t parameters = 0;  ///< elements of the trainable variables it names
  double flop_per_step = 0;
  double bytes_per_step = 0;  ///< what variables and buffers are read and written at least
  std::size_t workspace_bytes = 0;
  std::size_t scratch_bytes_per_worker = 0;
  std::size_t tasks = 0;
  std::size_t max_parallelism = 0;  ///< tasks that run at once when there are cores for all
  std::size_t slices = 0;
  std::size_t groups = 0;
  double compile_ms = 0;
};

/// Each optimisation can be switched off; the results of f32 then differ by rounding at most.
struct LoweringOptions {
  bool fusion = true;                                   ///< elementwise chains as one group
  bool post_ops = true;                                 ///< bias and activation ride on products
  ProviderChoice provider = ProviderChoice::automatic;  ///< who runs products, and single functions
  bool slicing = true;                                  ///< rows in several slices
  bool memory_sharing = true;                           ///< buffers used again, in place too
  bool fused_update = true;  ///< an optimizer runs on rows of a weight gradient while they are in the cache
  bool keep_values = false;  ///< every node has its own buffer; implies the others off
  bool updates = true;       ///< false: variables are not written
  /// bf16: values that are rounded to bf16 for products are stored so, and read by instructions for it.
  /// Nothing: what the model says; here it is f32.
  std::optional<Precision> precision;
  /// For how many workers there shall be work, where bits do not follow how it is cut; elsewhere each plan is
  /// cut alike.
  std::size_t workers = 1;
  Isa isa = detected_isa();
  /// Refuse a plan whose workspace is larger, before kernels are made for it: Error{memory}.
  std::optional<std::size_t> max_bytes;
};

struct Plan {
  std::shared_ptr<const Graph> graph;
  std::int64_t batch = 0;

  std::vector<std::unique_ptr<Call>> calls;
  std::vector<std::unique_ptr<Matmul>> matmuls;
  std::vector<std::uint32_t> products;  ///< for each unit that is a product, its matmul
  std::vector<Place> places;
  std::vector<Unit> units;
  std::vector<Task> tasks;  ///< in a topological order
  std::vector<std::uint32_t> successors;
  std::vector<VariableRows> soon;
  std::vector<std::uint32_t> made;  ///< numbers of outputs
  AlignedBytes constants;

  std::vector<PlanInput> inputs;
  std::vector<PlanVariable> variables;
  std::vector<PlanOutput> outputs;
  std::vector<PlanValue> values;
  std::vector<std::string> updated;  ///< the variables of the non-finite flags

  bool serial = false;  ///< too small or too narrow to share: one thread runs it
  PlanStatistics statistics;
  std::vector<std::string> warnings;         ///< products that run on a slow implementation
  std::string groups;                        ///< the groups as text, for golden tests and `plan --groups`
  std::vector<std::string> implementations;  ///< by group, as below

  /// What a provider calls what a unit runs; empty: kernels of our own.
  std::string implementation(const Unit& unit) const {
    return unit.call == nullptr ? matmuls[unit.matmul]->implementation() : unit.call->implementation();
  }
};

}  // namespace graphrun::runtime
