#include <algorithm>
#include <map>

#include "runtime/lowering.hpp"

namespace graphrun::runtime {
namespace {

std::int64_t product(std::span<const std::int64_t> extents) {
  return element_count(extents);
}

/// `extents` with ones in front, so that it has as many axes as `shape`.
Extents aligned(const Extents& extents, std::size_t rank) {
  Extents result(rank - extents.size(), 1);
  result.insert(result.end(), extents.begin(), extents.end());
  return result;
}

/// The kind of an operand when the last axes from `split` on are the columns; nothing when it is none.
std::optional<OperandKind> kind_of(const Extents& operand, const Extents& shape, std::size_t split) {
  if (operand == shape) return OperandKind::full;
  if (product(operand) == 1) return OperandKind::scalar;
  const Extents ones(shape.size(), 1);
  const auto matches = [&](std::size_t begin, std::size_t end, const Extents& other) {
    return std::equal(operand.begin() + static_cast<std::ptrdiff_t>(begin),
                      operand.begin() + static_cast<std::ptrdiff_t>(end),
                      other.begin() + static_cast<std::ptrdiff_t>(begin));
  };
  const std::size_t rank = shape.size();
  if (matches(0, split, ones) && matches(split, rank, shape)) return OperandKind::row;
  if (matches(0, split, shape) && matches(split, rank, ones)) return OperandKind::column;
  return std::nullopt;
}

std::vector<std::int64_t> strides_of(const Extents& operand) {
  std::vector<std::int64_t> strides(operand.size(), 0);
  std::int64_t stride = 1;
  for (std::size_t axis = operand.size(); axis-- > 0;) {
    if (operand[axis] != 1) strides[axis] = stride;
    stride *= operand[axis];
  }
  return strides;
}

class ProgramBuilder {
 public:
  ProgramBuilder(const BoundGraph& bound, const Group& group, Isa isa) : bound_(bound), group_(group) {
    program_.isa = isa;
    program_.rows = group.rows;
    program_.shape = group.shape;
    find_operands();
    choose_columns();
    split_stored();
    find_last_reads();
    for (const NodeId member : group.members) emit(member);
    program_.temporaries = temporaries_;
    find_in_place();
  }

  ElementwiseProgram take() { return std::move(program_); }

 private:
  bool inside(NodeId id) const { return std::ranges::binary_search(group_.members, id); }
  bool is_reduction(NodeId id) const { return bound_.info(id).kernel->reduction.has_value(); }
  /// A value of the group itself, used as it is; through an alias of another shape it comes from outside.
  bool from_inside(NodeId input) const {
    const NodeId root = bound_.info(input).root;
    return inside(root) && bound_.info(root).extents == bound_.info(input).extents;
  }

  // ---- Operands ----

  void find_operands() {
    for (const NodeId member : group_.members) {
      const Node& node = bound_.node(member);
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        const NodeId input = node.inputs[i];
        if (from_inside(input) || operand_of_.contains(input)) continue;
        const Shape& shape = bound_.node(input).type.shape;
        const bool sliced = group_.rows && !shape.empty() && shape[0].is_batch();
        operand_of_[input] = static_cast<std::uint16_t>(program_.operands.size());
        program_.operands.push_back({input, sliced, OperandKind::full, {}});
        extents_.push_back(aligned(bound_.info(input).extents, group_.shape.size()));
      }
    }
  }

  void choose_columns() {
    const std::size_t rank = group_.shape.size();
    std::size_t split = rank;
    if (group_.reduced > 0) {
      std::int64_t folded = 1;
      while (split > 0 && folded < group_.reduced) folded *= group_.shape[--split];
      program_.columns = group_.reduced;
    } else if (!flat()) {
      split = best_split();
      program_.columns = product(std::span(group_.shape).subspan(split));
    }
    for (std::size_t i = 0; i < extents_.size(); ++i) {
      Operand& operand = program_.operands[i];
      const auto kind = kind_of(extents_[i], group_.shape, split);
      operand.kind = kind.value_or(OperandKind::strided);
      if (!kind) operand.strides = strides_of(extents_[i]);
    }
  }

  bool flat() const {
    return std::ranges::all_of(
        extents_, [&](const Extents& extents) { return extents == group_.shape || product(extents) == 1; });
  }

  /// The split at which the fewest operands need strides.
  std::size_t best_split() const {
    std::size_t best = 1;
    std::ptrdiff_t most = -1;
    for (std::size_t split = 1; split < group_.shape.size(); ++split) {
      const std::ptrdiff_t fit = std::ranges::count_if(extents_, [&](const Extents& extents) {
        return kind_of(extents, group_.shape, split).has_value();
      });
      if (fit > most) {
        most = fit;
        best = split;
      }
    }
    return std::min(best, group_.shape.size());
  }

  // ---- Slots ----

  void split_stored() {
    for (const NodeId stored : group_.stored) {
      if (!is_reduction(stored)) program_.stored.push_back(stored);
    }
  }

  std::uint16_t first_temporary() const {
    return static_cast<std::uint16_t>(program_.operands.size() + program_.stored.size());
  }

  void find_last_reads() {
    for (const NodeId member : group_.members) {
      for (const NodeId input : bound_.node(member).inputs) {
        const NodeId read = from_inside(input) ? bound_.info(input).root : input;
        last_read_[read] = member;
      }
    }
    // What a stretched value reads is read as long as the value itself.
    for (auto member = group_.members.rbegin(); member != group_.members.rend(); ++member) {
      if (bound_.info(*member).kernel->stretch && last_read_.contains(*member)) {
        const NodeId input = bound_.node(*member).inputs[0];
        NodeId& last = last_read_[from_inside(input) ? bound_.info(input).root : input];
        last = std::max(last, last_read_[*member]);
      }
    }
  }

  std::uint16_t slot_of(NodeId input) const {
    return from_inside(input) ? slots_.at(bound_.info(input).root) : operand_of_.at(input);
  }

  std::uint16_t output_slot(NodeId member) {
    const auto stored = std::ranges::find(program_.stored, member);
    if (stored != program_.stored.end()) {
      return static_cast<std::uint16_t>(program_.operands.size() +
                                        static_cast<std::size_t>(stored - program_.stored.begin()));
    }
    if (!free_.empty()) {
      const std::uint16_t slot = free_.back();
      free_.pop_back();
      return slot;
    }
    return static_cast<std::uint16_t>(first_temporary() + temporaries_++);
  }

  /// Temporaries whose last reader is `member` may be used again, by its own output too.
  void release(NodeId member) {
    for (const auto& [value, slot] : slots_) {
      if (slot >= first_temporary() && owner_[slot] == value && last_read_[value] == member) {
        free_.push_back(slot);
        owner_[slot] = no_owner;
      }
    }
  }

  // ---- Instructions ----

  void emit(NodeId member) {
    const Node& node = bound_.node(member);
    const KernelDef& kernel = *bound_.info(member).kernel;
    if (kernel.reduction) {
      program_.reductions.push_back({*kernel.reduction, slot_of(node.inputs[0]), member});
      return;
    }
    const bool is_stored = std::ranges::find(program_.stored, member) != program_.stored.end();
    if (kernel.stretch && !is_stored) {
      slots_[member] = slot_of(node.inputs[0]);
      return;
    }
    Instruction instruction;
    instruction.arity = static_cast<std::uint16_t>(node.inputs.size());
    for (std::size_t i = 0; i < node.inputs.size(); ++i) instruction.inputs.at(i) = slot_of(node.inputs[i]);
    if (kernel.vector) instruction.function = kernel.vector->function(program_.isa);
    if (kernel.immediates != nullptr) instruction.immediates = kernel.immediates(node);
    // A reduction reads its slot after all instructions: such a temporary is never used again.
    if (group_.reduced == 0) release(member);
    instruction.output = output_slot(member);
    slots_[member] = instruction.output;
    owner_[instruction.output] = member;
    program_.instructions.push_back(instruction);
  }

  // ---- In place ----

  /// A stored value may lie where an operand lies that nothing reads any more.
  void find_in_place() {
    for (const NodeId stored : program_.stored) {
      for (const Operand& operand : program_.operands) {
        const bool read_later = last_read_[operand.node] > stored;
        const bool reduced = std::ranges::any_of(program_.reductions, [&](const Reduction& reduction) {
          return reduction.input == operand_of_[operand.node];
        });
        const auto views = std::ranges::count_if(program_.operands, [&](const Operand& other) {
          return bound_.info(other.node).root == bound_.info(operand.node).root;
        });
        if (operand.kind == OperandKind::full && !read_later && !reduced && views == 1) {
          program_.in_place.emplace_back(stored, operand.node);
        }
      }
    }
  }

  static constexpr NodeId no_owner = ~NodeId{0};

  const BoundGraph& bound_;
  const Group& group_;
  ElementwiseProgram program_;
  std::map<NodeId, std::uint16_t> operand_of_;
  std::vector<Extents> extents_;
  std::map<NodeId, NodeId> last_read_;
  std::map<NodeId, std::uint16_t> slots_;
  std::map<std::uint16_t, NodeId> owner_;
  std::vector<std::uint16_t> free_;
  std::uint16_t temporaries_ = 0;
};

}  // namespace

ElementwiseProgram elementwise_program(const BoundGraph& bound, const Group& group, Isa isa) {
  return ProgramBuilder(bound, group, isa).take();
}

}  // namespace graphrun::runtime
