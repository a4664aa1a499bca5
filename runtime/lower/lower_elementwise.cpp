#include <algorithm>
#include <map>
#include <set>

#include "runtime/lower/lowering.hpp"

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

struct Itself {
  [[gnu::always_inline]] static float apply(const float*, float x) { return x; }
};

FoldFunction plain_fold(ReductionKind kind, Isa isa) {
  constexpr FoldKernel sum = fold_kernel<Itself, 1, ReductionKind::sum>();
  constexpr FoldKernel max = fold_kernel<Itself, 1, ReductionKind::max>();
  return (kind == ReductionKind::max ? max : sum).function(isa);
}

class ProgramBuilder {
 public:
  ProgramBuilder(const BoundGraph& bound, const Group& group, Isa isa) : bound_(bound), group_(group) {
    program_.isa = isa;
    program_.shape = group.shape;
    choose_steps();
    find_operands();
    choose_columns();
    program_.rows = group.rows || (flat() && !group.shape.empty() && group.reduced == 0);
    split_stored();
    find_last_reads();
    for (const Step& step : steps_) emit(step);
    program_.temporaries = temporaries_;
    find_in_place();
  }

  ElementwiseProgram take() { return std::move(program_); }

 private:
  bool is_reduction(NodeId id) const { return bound_.info(id).kernel->reduction.has_value(); }
  std::optional<NodeId> inside(NodeId input) const { return value_inside(bound_, group_, input); }
  /// What reads and slots are counted by: the value inside, or the input as it comes from outside.
  NodeId value_of(NodeId input) const { return inside(input).value_or(input); }

  // ---- Steps: the members that are computed, each from what it reads. A member that lies within fused forms
  // alone is none.

  struct Step {
    NodeId member = 0;
    std::vector<NodeId> reads;
    VectorFunction function = nullptr;
    FoldFunction fold = nullptr;
  };

  void choose_steps() {
    std::set<NodeId> wanted(group_.stored.begin(), group_.stored.end());
    for (auto member = group_.members.rbegin(); member != group_.members.rend(); ++member) {
      if (!wanted.contains(*member)) continue;
      steps_.push_back(step_of(*member));
      for (const NodeId input : steps_.back().reads) wanted.insert(value_of(input));
    }
    std::ranges::reverse(steps_);
  }

  Step step_of(NodeId member) const {
    const KernelDef& kernel = *bound_.info(member).kernel;
    if (kernel.reduction) {
      for (const FusedForm<FoldKernel>& form : kernel.folds) {
        if (auto reads = match_form(form.pattern, bound_, group_, member)) {
          return {member, std::move(*reads), nullptr, form.kernel.function(program_.isa)};
        }
      }
      return {member, bound_.node(member).inputs, nullptr, plain_fold(*kernel.reduction, program_.isa)};
    }
    for (const FusedForm<VectorKernel>& form : kernel.forms) {
      if (auto reads = match_form(form.pattern, bound_, group_, member)) {
        return {member, std::move(*reads), form.kernel.function(program_.isa), nullptr};
      }
    }
    const std::optional<VectorKernel>& own = bound_.info(member).narrow ? kernel.narrow : kernel.vector;
    return {member, bound_.node(member).inputs, own ? own->function(program_.isa) : nullptr, nullptr};
  }

  // ---- Operands ----

  void find_operands() {
    for (const Step& step : steps_) {
      for (const NodeId input : step.reads) {
        if (inside(input) || operand_of_.contains(input)) continue;
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
      if (is_reduction(stored)) continue;
      program_.stored.push_back(stored);
      program_.stored_bytes.push_back(bound_.element_bytes(stored));
    }
  }

  std::uint16_t first_temporary() const {
    return static_cast<std::uint16_t>(program_.operands.size() + program_.stored.size());
  }

  void find_last_reads() {
    for (const Step& step : steps_) {
      for (const NodeId input : step.reads) last_read_[value_of(input)] = step.member;
    }
    // What a stretched value reads is read as long as the value itself.
    for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
      if (bound_.info(step->member).kernel->stretch && last_read_.contains(step->member)) {
        NodeId& last = last_read_[value_of(step->reads[0])];
        last = std::max(last, last_read_[step->member]);
      }
    }
  }

  std::uint16_t slot_of(NodeId input) const {
    const std::optional<NodeId> value = inside(input);
    return value ? slots_.at(*value) : operand_of_.at(input);
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

  void emit(const Step& step) {
    const NodeId member = step.member;
    if (step.fold != nullptr) return emit_reduction(step);
    const KernelDef& kernel = *bound_.info(member).kernel;
    const bool is_stored = std::ranges::find(program_.stored, member) != program_.stored.end();
    if (kernel.stretch && !is_stored) {
      slots_[member] = slot_of(step.reads[0]);
      return;
    }
    Instruction instruction;
    instruction.function = step.function;
    instruction.arity = static_cast<std::uint16_t>(step.reads.size());
    for (std::size_t i = 0; i < step.reads.size(); ++i) instruction.inputs.at(i) = slot_of(step.reads[i]);
    if (kernel.immediates != nullptr) instruction.immediates = kernel.immediates(bound_.node(member));
    // A reduction may read its slots after all instructions: such a temporary is never used again.
    if (group_.reduced == 0) release(member);
    instruction.output = output_slot(member);
    slots_[member] = instruction.output;
    owner_[instruction.output] = member;
    program_.instructions.push_back(instruction);
  }

  void emit_reduction(const Step& step) {
    Reduction reduction;
    reduction.kind = *bound_.info(step.member).kernel->reduction;
    reduction.function = step.fold;
    reduction.arity = static_cast<std::uint16_t>(step.reads.size());
    reduction.of_operands = true;
    for (std::size_t i = 0; i < step.reads.size(); ++i) {
      reduction.inputs.at(i) = slot_of(step.reads[i]);
      reduction.of_operands = reduction.of_operands && reduction.inputs[i] < program_.operands.size();
    }
    reduction.node = step.member;
    program_.reductions.push_back(reduction);
  }

  // ---- In place ----

  /// A stored value may lie where an operand lies that nothing reads any more.
  void find_in_place() {
    for (const NodeId stored : program_.stored) {
      for (const Operand& operand : program_.operands) {
        const bool read_later = last_read_[operand.node] > stored;
        const bool reduced = std::ranges::any_of(program_.reductions, [&](const Reduction& reduction) {
          return !reduction.of_operands && reads(reduction, operand_of_[operand.node]);
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

  static bool reads(const Reduction& reduction, std::uint16_t slot) {
    const auto end = reduction.inputs.begin() + reduction.arity;
    return std::find(reduction.inputs.begin(), end, slot) != end;
  }

  static constexpr NodeId no_owner = ~NodeId{0};

  const BoundGraph& bound_;
  const Group& group_;
  ElementwiseProgram program_;
  std::vector<Step> steps_;
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
