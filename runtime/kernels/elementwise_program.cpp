#include "runtime/kernels/elementwise_program.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <span>

#include "runtime/machine/aligned.hpp"

namespace graphrun::runtime {
namespace {

constexpr std::size_t block_bytes = block_elements * sizeof(float);
// ---- Reductions
// -----------------------------------------------------------------------------------------------------------

void start(Fold& fold, ReductionKind kind) {
  fold.partial.fill(kind == ReductionKind::max ? -std::numeric_limits<float>::infinity() : 0.0F);
}

float finish(Fold fold, ReductionKind kind) {
  for (std::size_t half = fold_lanes / 2; half > 0; half /= 2) {
    for (std::size_t lane = 0; lane < half; ++lane) {
      fold.partial[lane] =
          fold_combine(fold.partial[lane], fold.partial[lane + half], kind == ReductionKind::max);
    }
  }
  return fold.partial[0];
}

// ---- The interpreter
// ---------------------------------------------------------------------------------------

/// What one block covers: `count` elements from `first`, `rows` rows (or a part of one) from `row`.
struct Block {
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t row = 0;
  std::size_t rows = 1;
  std::size_t column = 0;
};

struct StridedAxis {
  std::size_t extent = 1;
  std::size_t stride = 0;
};

/// Where the elements of a strided operand lie: axes that step evenly are one.
struct StridedAxes {
  std::vector<StridedAxis> outer;  // outermost first
  StridedAxis middle;
  StridedAxis inner;

  StridedAxes(const Extents& shape, const std::vector<std::int64_t>& strides) {
    std::vector<StridedAxis> axes;  // innermost first
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      const auto extent = static_cast<std::size_t>(shape[axis]);
      const auto stride = static_cast<std::size_t>(strides[axis]);
      if (extent == 1 && axis != 0) continue;
      if (!axes.empty() && stride == axes.back().extent * axes.back().stride) {
        axes.back().extent *= extent;
      } else {
        axes.push_back({extent, stride});
      }
    }
    if (!axes.empty()) inner = axes[0];
    if (axes.size() > 1) middle = axes[1];
    for (std::size_t axis = axes.size(); axis-- > 2;) outer.push_back(axes[axis]);
  }

  /// Of the plane `index`: the outermost axis may go on beyond its extent, as rows of a slice do.
  std::size_t offset_of(std::size_t index) const {
    std::size_t offset = 0;
    for (std::size_t axis = outer.size(); axis-- > 1;) {
      offset += index % outer[axis].extent * outer[axis].stride;
      index /= outer[axis].extent;
    }
    return outer.empty() ? offset : offset + index * outer[0].stride;
  }
};

class ElementwiseCall final : public Call {
 public:
  explicit ElementwiseCall(ElementwiseProgram program) : program_(std::move(program)) {
    for (const Operand& operand : program_.operands) {
      const bool strided = operand.kind == OperandKind::strided;
      strided_.push_back(strided ? StridedAxes(program_.shape, operand.strides) : StridedAxes({}, {}));
    }
    const std::size_t first_axis = program_.rows ? 1 : 0;
    for (std::size_t axis = first_axis; axis < program_.shape.size(); ++axis) {
      elements_ *= static_cast<std::size_t>(program_.shape[axis]);
    }
    columns_ = static_cast<std::size_t>(program_.columns);
  }

  // Scratch: the slot table, then one block for each operand that needs one, then the temporaries, then
  // folds.
  std::size_t scratch_bytes() const override {
    return table_bytes() + (program_.operands.size() + program_.temporaries) * block_bytes +
           program_.reductions.size() * sizeof(Fold);
  }

  void run(const CallArguments& arguments) const noexcept override {
    const std::size_t batch_rows = program_.rows ? static_cast<std::size_t>(arguments.row_count) : 1;
    const std::size_t total = batch_rows * elements_;
    if (total == 0) return;
    State state = prepare(arguments);
    if (columns_ == 0) {
      for (std::size_t first = 0; first < total; first += block_elements) {
        run_block(state, {first, std::min(block_elements, total - first), 0, 1, first},
                  [](const Reduction&, std::size_t) {});
      }
    } else if (columns_ <= block_elements) {
      run_whole_rows(state, total / columns_);
    } else {
      run_long_rows(state, total / columns_);
    }
  }

 private:
  struct State {
    const CallArguments* arguments;
    float** slots;
    float* blocks;  // of the operands
    Fold* folds;
  };

  std::size_t slot_count() const {
    return program_.operands.size() + program_.stored.size() + program_.temporaries;
  }
  std::size_t table_bytes() const { return aligned_size(slot_count() * sizeof(float*)); }

  static const float* operand(const State& state, std::size_t i) {
    return reinterpret_cast<const float*>(state.arguments->inputs[i]);
  }
  static float* block_of(const State& state, std::size_t operand) {
    return state.blocks + operand * block_elements;
  }

  State prepare(const CallArguments& arguments) const {
    State state{&arguments, reinterpret_cast<float**>(arguments.scratch),
                reinterpret_cast<float*>(arguments.scratch + table_bytes()), nullptr};
    float* const temporaries = block_of(state, program_.operands.size());
    state.folds = reinterpret_cast<Fold*>(temporaries + program_.temporaries * block_elements);
    const std::size_t first_temporary = program_.operands.size() + program_.stored.size();
    for (std::size_t i = 0; i < program_.temporaries; ++i) {
      state.slots[first_temporary + i] = temporaries + i * block_elements;
    }
    for (std::size_t i = 0; i < program_.operands.size(); ++i) prepare_operand(state, i);
    return state;
  }

  /// What is the same for every block is laid out once.
  void prepare_operand(const State& state, std::size_t i) const {
    const OperandKind kind = program_.operands[i].kind;
    float* const block = block_of(state, i);
    state.slots[i] = block;
    if (kind == OperandKind::scalar) {
      std::fill_n(block, block_elements, operand(state, i)[0]);
    } else if (kind == OperandKind::row && columns_ <= block_elements) {
      for (std::size_t row = 0; row + columns_ <= block_elements; row += columns_) {
        std::copy_n(operand(state, i), columns_, block + row);
      }
    }
  }

  void run_whole_rows(State& state, std::size_t rows) const {
    const std::size_t rows_of_block = block_elements / columns_;
    for (std::size_t row = 0; row < rows; row += rows_of_block) {
      const std::size_t count = std::min(rows_of_block, rows - row);
      const Block block{row * columns_, count * columns_, row, count, 0};
      run_block(state, block, [&](const Reduction& reduction, std::size_t i) {
        for (std::size_t r = 0; r < count; ++r) {
          Fold fold{};
          start(fold, reduction.kind);
          reduction.function(fold, fold_inputs(state, reduction, r * columns_), columns_);
          result(state, i)[row + r] = finish(fold, reduction.kind);
        }
      });
    }
  }

  void run_long_rows(State& state, std::size_t rows) const {
    const std::span<const Reduction> reductions = program_.reductions;
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t i = 0; i < reductions.size(); ++i) start(state.folds[i], reductions[i].kind);
      for (std::size_t column = 0; column < columns_; column += block_elements) {
        const std::size_t count = std::min(block_elements, columns_ - column);
        const Block block{row * columns_ + column, count, row, 1, column};
        run_block(state, block, [&](const Reduction& reduction, std::size_t i) {
          reduction.function(state.folds[i], fold_inputs(state, reduction, 0), count);
        });
      }
      for (std::size_t i = 0; i < reductions.size(); ++i) {
        result(state, i)[row] = finish(state.folds[i], reductions[i].kind);
      }
    }
  }

  static FoldInputs fold_inputs(const State& state, const Reduction& reduction, std::size_t first) {
    FoldInputs inputs{};
    for (std::size_t i = 0; i < reduction.arity; ++i) inputs[i] = state.slots[reduction.inputs[i]] + first;
    return inputs;
  }

  float* result(const State& state, std::size_t reduction) const {
    return reinterpret_cast<float*>(state.arguments->written[program_.stored.size() + reduction]);
  }

  /// `fold` is called for each reduction, with its number: for those of operands before an instruction can
  /// write where an operand lies.
  template <class FoldRows>
  void run_block(const State& state, const Block& block, FoldRows fold) const {
    for (std::size_t i = 0; i < program_.operands.size(); ++i) load(state, i, block);
    for (std::size_t i = 0; i < program_.stored.size(); ++i) {
      state.slots[program_.operands.size() + i] =
          reinterpret_cast<float*>(state.arguments->written[i] + block.first * program_.stored_bytes[i]);
    }
    const std::span<const Reduction> reductions = program_.reductions;
    for (std::size_t i = 0; i < reductions.size(); ++i) {
      if (reductions[i].of_operands) fold(reductions[i], i);
    }
    for (const Instruction& instruction : program_.instructions) execute(state, instruction, block.count);
    for (std::size_t i = 0; i < reductions.size(); ++i) {
      if (!reductions[i].of_operands) fold(reductions[i], i);
    }
  }

  void load(const State& state, std::size_t i, const Block& block) const {
    const Operand& description = program_.operands[i];
    // Vector kernels take their inputs as const and write to stored slots and temporaries alone.
    auto* const values = const_cast<float*>(operand(state, i));
    switch (description.kind) {
      case OperandKind::full:
        state.slots[i] = values + block.first;
        break;
      case OperandKind::scalar:
        break;
      case OperandKind::row:
        if (columns_ > block_elements) state.slots[i] = values + block.column;
        break;
      case OperandKind::column:
        load_column(block_of(state, i), values + block.row, block);
        break;
      case OperandKind::strided:
        load_strided(block_of(state, i), values, strided_[i], block);
        break;
    }
  }

  static void load_column(float* target, const float* values, const Block& block) {
    const std::size_t columns = block.count / block.rows;
    for (std::size_t row = 0; row < block.rows; ++row) {
      std::fill_n(target + row * columns, columns, values[row]);
    }
  }

  /// Runs along the last axis, and for each place of the axes before it a run for each step of the one in
  /// between: places are worked out once a plane.
  static void load_strided(float* target, const float* values, const StridedAxes& axes, const Block& block) {
    const std::size_t plane = axes.middle.extent * axes.inner.extent;
    std::size_t done = 0;
    while (done < block.count) {
      const std::size_t first = block.first + done;
      const float* const begin = values + axes.offset_of(first / plane);
      std::size_t column = first % axes.inner.extent;
      for (std::size_t row = first % plane / axes.inner.extent;
           row < axes.middle.extent && done < block.count; ++row) {
        const std::size_t count = std::min(axes.inner.extent - column, block.count - done);
        const float* const from = begin + row * axes.middle.stride + column * axes.inner.stride;
        if (axes.inner.stride == 1) {
          std::copy_n(from, count, target + done);
        } else {
          for (std::size_t i = 0; i < count; ++i) target[done + i] = from[i * axes.inner.stride];
        }
        done += count;
        column = 0;
      }
    }
  }

  static void execute(const State& state, const Instruction& instruction, std::size_t count) {
    if (instruction.function == nullptr) {
      const float* const source = state.slots[instruction.inputs[0]];
      if (source != state.slots[instruction.output])
        std::copy_n(source, count, state.slots[instruction.output]);
      return;
    }
    VectorArguments arguments{{}, state.slots[instruction.output], count, instruction.immediates.data()};
    for (std::size_t i = 0; i < instruction.arity; ++i) {
      arguments.inputs[i] = state.slots[instruction.inputs[i]];
    }
    instruction.function(arguments);
  }

  ElementwiseProgram program_;
  std::vector<StridedAxes> strided_;  // by operand
  std::size_t elements_ = 1;          // of one batch row, or of all when it runs as a whole
  std::size_t columns_ = 0;
};

}  // namespace

std::unique_ptr<Call> make_elementwise_call(ElementwiseProgram program) {
  return std::make_unique<ElementwiseCall>(std::move(program));
}

}  // namespace graphrun::runtime
