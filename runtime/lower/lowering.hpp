/// \file
/// What the stages of lowering hand to each other. Only files of this room include it, and tests.
///
///   bind        sizes, folded numbers, aliases, which nodes run by rows, who uses what
///   partition   nodes into groups: product with bias and activation, elementwise chain, single call
///   schedule    groups into units (one a row slice) and units into tasks
///   place       buffers into one arena
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "graph/op.hpp"
#include "runtime/kernels/elementwise_program.hpp"
#include "runtime/lower/plan.hpp"
#include "runtime/products/provider.hpp"

namespace graphrun::runtime {

// ---- Bind
// --------------------------------------------------------------------------------------------------

struct Use {
  NodeId user = 0;
  std::uint32_t input = 0;
  bool direct = true;  ///< false: through an alias of another shape
};

struct BoundInfo {
  Extents extents;
  const KernelDef* kernel = nullptr;
  bool live = false;     ///< needed by an output or an effect, and not known beforehand
  bool rows = false;     ///< axis 0 is the batch, and each row depends on the same row of its inputs alone
  bool source = false;   ///< input, variable, constant or folded number: nothing computes it
  bool fetched = false;  ///< an output of the program (through aliases)
  bool narrow = false;   ///< rounded to bf16, and stored so: products alone read it
  NodeId root = 0;       ///< the node whose buffer holds it: itself, or what it is an alias of
  std::optional<HostTensor> known;  ///< its value, when that is a small function of constants and sizes
  std::vector<Use> uses;            ///< of a root: by live nodes that are no aliases
};

struct BoundGraph {
  const Graph* graph = nullptr;
  std::int64_t batch = 0;
  std::vector<BoundInfo> nodes;

  const Node& node(NodeId id) const { return graph->node(id); }
  const BoundInfo& info(NodeId id) const { return nodes[id]; }
  std::size_t bytes(NodeId id) const;
  std::size_t element_bytes(NodeId id) const;
  /// Whether a matmul goes to a provider as one product.
  bool is_one_product(NodeId id) const;
  /// Whether it is a product, and its operands are stored as bf16.
  bool reads_narrow(NodeId id) const;
  /// Whether a step computes the node into a buffer of its own.
  bool computed(NodeId id) const { return info(id).live && !info(id).source && info(id).root == id; }
  /// Whether input `i` of `user` is read row by row, in step with the rows of its output.
  bool sliced_input(NodeId user, std::size_t i) const;
  /// What the op says that it costs, for all rows.
  Cost cost(NodeId id) const;
};

BoundGraph bind_graph(const Graph& graph, std::int64_t batch, const KernelRegistry& kernels,
                      const LoweringOptions& options);

// ---- Partition
// ---------------------------------------------------------------------------------------------

struct RowRange {
  std::int64_t begin = 0;
  std::int64_t count = 0;
};

/// Into which rows a group is cut. Groups of one cut that hand values on run part by part, in step.
using Cut = std::vector<RowRange>;

enum class GroupKind : std::uint8_t {
  product,
  elementwise,
  call,
  total  ///< adds what the parts of the group before it made, in their order
};

inline constexpr std::uint32_t no_group = ~std::uint32_t{0};

struct Group {
  GroupKind kind = GroupKind::call;
  bool rows = false;
  std::vector<NodeId> members;  ///< ascending
  std::vector<NodeId> stored;   ///< the members whose values others read
  // Product.
  NodeId product = 0;
  MatmulSpec spec;                            ///< of all rows, with what rides on it
  std::int64_t rows_each = 1;                 ///< of the product for a row of its result's axis 0
  const ProductProvider* provider = nullptr;  ///< who makes it
  NodeId result = 0;                          ///< what it stores: itself, or with its bias and activation
  std::optional<NodeId> bias;
  std::optional<NodeId> activation;
  std::optional<NodeId> column_sum;  ///< of its right operand, stored too: a bias gradient
  // Elementwise: what its members share.
  Extents shape;
  std::int64_t reduced = 0;  ///< elements that each of its reductions folds into one; 0: it has none
  /// Call: a sum over the batch that is made in parts, each over some of its rows; a total is behind it.
  Cut ranges;
};

struct Partition {
  std::vector<Group> groups;            ///< in an order in which they can run
  std::vector<std::uint32_t> group_of;  ///< by node; no_group: nothing computes it
};

Partition partition_graph(const BoundGraph& bound, const LoweringOptions& options);

/// Sums over the batch that are worth several tasks become parts and a total. How many parts follows from the
/// shapes alone, since the bits do: never from workers or options.
void cut_sums(const BoundGraph& bound, Partition& partition);

/// The group that a group runs right before, block by block, because nothing else reads what it makes, and
/// that is more than what it reads: its result never leaves the cache then. no_group when there is none.
std::uint32_t reader_beside(const BoundGraph& bound, const Partition& partition, std::uint32_t group);

/// Puts such groups right before their readers.
void move_to_readers(const BoundGraph& bound, Partition& partition);

/// By node: the computed nodes that wait for it without reading it.
std::vector<std::vector<NodeId>> controlled_nodes(const BoundGraph& bound);

/// Puts groups in an order in which they can run, taking those apart that wait for each other in a circle.
void order_groups(const BoundGraph& bound, const std::vector<std::vector<NodeId>>& controlled,
                  Partition& partition);

/// A single function of each element as a provider runs it, from its result when it is a gradient.
struct LoneFunction {
  EltwiseSpec spec;  ///< of all elements
  NodeId values = 0;
  std::optional<NodeId> cotangents;  ///< of a gradient
};

/// What a group is to a provider: one function of one value as large as it, or the gradient of one. Nothing
/// when it is more, or has no name.
std::optional<LoneFunction> lone_function(const BoundGraph& bound, const Group& group);

/// The axes of a reduction when they are the last ones: how many elements it folds into one. Nothing
/// otherwise.
std::optional<std::int64_t> trailing_reduction(const BoundGraph& bound, NodeId id);

/// What the names of a pattern stand for when the tree that ends in `root` is of its form, made of members of
/// the group alone.
std::optional<std::vector<NodeId>> match_form(const Pattern& pattern, const BoundGraph& bound,
                                              const Group& group, NodeId root);

/// The value of a group itself that a member's input is, used as it is; nothing when it comes from outside,
/// or through an alias of another shape.
std::optional<NodeId> value_inside(const BoundGraph& bound, const Group& group, NodeId input);

/// The elementwise program of a group, with the externals and outputs it names by node.
ElementwiseProgram elementwise_program(const BoundGraph& bound, const Group& group, Isa isa);

/// "0 rows product matmul_3 add_4 tanh_5 -> tanh_5": one line a group.
std::string to_string(const BoundGraph& bound, const Partition& partition);

// ---- Schedule
// ----------------------------------------------------------------------------------------------

inline constexpr std::uint32_t uncut = 0;       ///< Schedule::cuts: runs as a whole
inline constexpr std::uint32_t batch_rows = 1;  ///< Schedule::cuts: the slices of the batch
// Every further one: rows of a weight gradient, and of the weights that an update changes with them; or, of a
// group with ranges, these.

struct UnitDraft {
  std::uint32_t group = 0;
  std::uint32_t slice = 0;  ///< which part of its group's cut
  double nanoseconds = 0;
  Work work;
  std::vector<std::uint32_t> predecessors;  ///< units
};

struct TaskDraft {
  std::vector<std::uint32_t> units;
  std::vector<std::uint32_t> predecessors;  ///< tasks, ascending
  double nanoseconds = 0;
  Work work;
};

struct Schedule {
  std::vector<Cut> cuts;
  std::vector<std::uint32_t> cut_of;       ///< by group
  std::vector<UnitDraft> units;            ///< in an order in which they can run
  std::vector<std::uint32_t> first_unit;   ///< by group: its unit of slice 0; the others follow
  std::vector<TaskDraft> tasks;            ///< in an order in which they can run
  std::vector<std::uint32_t> task_of;      ///< by unit
  std::vector<std::uint32_t> position_of;  ///< by unit: its place in its task, one for all that run in blocks
  /// By unit: so many rows at a time, in turns with the units beside it at its place; 0: all of its rows.
  std::vector<std::int64_t> block_rows;
  double flop = 0;
  double update_bytes = 0;  ///< read and written by all updates

  const Cut& slices() const { return cuts[batch_rows]; }
  std::uint32_t parts(std::uint32_t group) const {
    return static_cast<std::uint32_t>(cuts[cut_of[group]].size());
  }
  RowRange rows_of(const UnitDraft& unit) const { return cuts[cut_of[unit.group]][unit.slice]; }
  /// The slice in which all of these rows lie; none when there is no such.
  std::optional<std::uint32_t> slice_with(const RowRange& rows) const {
    for (std::uint32_t i = 0; i < slices().size(); ++i) {
      const RowRange& slice = slices()[i];
      if (slice.begin <= rows.begin && rows.begin + rows.count <= slice.begin + slice.count) return i;
    }
    return std::nullopt;
  }
  /// Whether an update takes a gradient part by part, as it is made.
  bool gradient_in_step(std::uint32_t from, std::uint32_t to) const {
    return cut_of[from] > batch_rows && cut_of[from] == cut_of[to];
  }
};

Schedule schedule_groups(const BoundGraph& bound, const Partition& partition, const LoweringOptions& options);

/// Gathers the units of a schedule into its tasks.
void gather_tasks(const BoundGraph& bound, const Partition& partition, std::size_t workers,
                  Schedule& schedule);

/// Units that go over the rows of a slice one after the other run block by block: what one makes of a few
/// rows the next finds in the cache. A row's bits do not follow from how many run at once. What would spend
/// much of a block on reading its weights again runs as a whole.
void cut_into_blocks(const BoundGraph& bound, const Partition& partition, Schedule& schedule);

/// The most tasks that run at once when there are cores for all of them.
std::size_t widest_moment(const std::vector<TaskDraft>& tasks);

// ---- Place
// -------------------------------------------------------------------------------------------------

/// One stretch of the arena: a whole buffer, or the part of one slice that no other slice looks at.
struct Buffer {
  std::size_t bytes = 0;
  std::vector<std::uint32_t> writers;  ///< units
  std::vector<std::uint32_t> users;    ///< units that read or write it
  bool kept = false;                   ///< read after the run
  Place place;
};

struct Placement {
  std::vector<Buffer> buffers;
  /// By node that is stored: its first buffer; the buffers of the other slices follow when it is per slice.
  std::vector<std::int64_t> buffer_of;
  std::vector<bool> per_slice;
  std::vector<bool> per_block;  ///< and that buffer has the rows of a block, for one block after the other
  std::vector<std::size_t> first_partial;  ///< by group with ranges: the buffer of its first part
  std::size_t workspace_bytes = 0;
  std::size_t scratch_bytes = 0;  ///< of the buffers that live within one task
};

/// By node: where it lies when no task computes it. Names constants, variables and inputs in the plan, and
/// writes the constants.
std::vector<Place> place_sources(const BoundGraph& bound, Plan& plan);

/// `in_place` of a group: pairs (output, input) of nodes that may share a buffer.
Placement place_buffers(const BoundGraph& bound, const Partition& partition, const Schedule& schedule,
                        const std::vector<std::vector<std::pair<NodeId, NodeId>>>& in_place,
                        const LoweringOptions& options);

}  // namespace graphrun::runtime
