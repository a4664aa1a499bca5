/// \file
/// What an op is. One op is one file `ops/<name>.cpp` that makes one OpDef (its meaning and its gradient) and
/// one runtime::KernelDef (how it runs fast).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "graph/attribute.hpp"
#include "graph/graph.hpp"
#include "graph/rule.hpp"
#include "graph/type.hpp"

namespace graphrun {

// ---- Types and axes ------------------------------------------------------------------------------------

struct InferContext {
  std::span<const Type> inputs;
  const Attributes& attributes;
};

/// The output type, or throws OpError. It sees complete attributes and an input count within bounds.
using Infer = Type (*)(const InferContext&);

/// For each input, where each of its axes goes in the output; `contracted` when it is summed away or
/// otherwise mixed. A broadcast axis (a literal 1 that is stretched) is `contracted` too: it carries no rows.
inline constexpr std::int64_t contracted = -1;
using AxisMap = std::vector<std::int64_t>;
struct AxesContext {
  std::span<const Type> inputs;
  const Type& output;
  const Attributes& attributes;
};
using AxesRule = std::vector<AxisMap> (*)(const AxesContext&);

// ---- Meaning: the f64 reference --------------------------------------------------------------------------

/// A dense row-major tensor of doubles; integers are held exactly.
struct HostTensor {
  Extents extents;
  std::vector<double> values;
};

/// What random ops depend on. Equal states give equal draws at any thread count, slice or fusion.
struct RandomState {
  std::uint64_t seed = 0;
  std::uint32_t domain = 0;     ///< training, evaluation, …: see runtime/state/philox.hpp
  std::uint64_t step = 0;       ///< optimizer step; 0 in evaluation
  std::uint64_t first_row = 0;  ///< number of the batch's first row in its epoch or data set
};

struct ReferenceContext {
  const Node& node;
  std::span<const HostTensor* const> inputs;
  HostTensor& output;                    ///< extents set, values sized and zero
  std::span<HostTensor* const> written;  ///< effects: the variables of OpDef::writes, to update in place
  RandomState random;
};
/// Naive loops in f64: the meaning of the op and the oracle of every test.
using Reference = void (*)(const ReferenceContext&);

// ---- Gradients -------------------------------------------------------------------------------------------

struct VjpContext {
  Builder& builder;
  NodeId output;             ///< the node itself, as a value (y); its inputs are builder.node(output).inputs
  NodeId cotangent;          ///< dL/dy, of y's shape
  std::vector<bool> wanted;  ///< for each input: is its gradient asked for? Others may be left empty

  const Node& node() const { return builder.node(output); }
  NodeId input(std::size_t i) const { return node().inputs[i]; }
};
/// One gradient an input, or nothing for zero. A gradient may have a shape that broadcasting made larger than
/// its input: the pass sums it down. A vjp returns graph nodes and never accumulates.
using Gradients = std::vector<std::optional<NodeId>>;
using Vjp = Gradients (*)(VjpContext&);

struct ZeroGradient {};
struct NotDifferentiable {
  std::string reason;
};
using GradientRule = std::variant<NotDifferentiable, ZeroGradient, Vjp>;

// ---- Cost, traits ----------------------------------------------------------------------------------------

struct Cost {
  double flop = 0;
  double bytes = 0;  ///< read and written, at f32
};
struct CostContext {
  std::span<const Extents> inputs;
  const Extents& output;
  const Attributes& attributes;
};
using CostRule = Cost (*)(const CostContext&);

struct Traits {
  bool elementwise = false;  ///< output element i depends on the (broadcast) input elements i alone
  /// f(a, b) and f(b, a) have the same bits: sums and products, but not maximum(0, -0), which is its second.
  bool bitwise_commutative = false;
  /// Its f32 kernel gives what its reference gives for the same numbers, rounded to f32 once.
  bool rounds_once = false;
  bool random = false;    ///< never merged with another, even of equal inputs
  bool effect = false;    ///< no value; kept by dead-node elimination
  bool variable = false;  ///< names a persistent buffer
  bool input = false;     ///< fed by the caller
  bool constant = false;
  bool size = false;            ///< a number that is known when the batch is bound
  bool stretches = false;       ///< its value is its first input, broadcast to its shape
  bool moves = false;           ///< its elements are elements of its first input, unchanged
  bool forwards_first = false;  ///< its value is its first input's: erased after the last gradient
  bool mode = false;            ///< resolved to an input when the mode (train, evaluate) is chosen
  bool running = false;         ///< a mode node whose second input is a variable that training updates
  bool gradient = false;        ///< the `grad` placeholder: expanded by autograd
  bool products = false;        ///< sums of products of its two inputs, which a lower precision rounds
  bool keeps_order = false;     ///< its elements are those of its input, in their order
  /// Where all axes of the batch are contracted, its value is the sum of what each row alone would give.
  bool adds_rows = false;
  /// An effect: each element that it writes follows from the same one of what has its shape, and from
  /// scalars.
  bool by_element = false;
};

// ---- The definition --------------------------------------------------------------------------------------

struct OperandDeclaration {
  std::string name;
  std::string doc;
};

struct OpDef {
  OpDef();
  OpDef(const OpDef& other);
  OpDef(OpDef&& other) noexcept;
  OpDef& operator=(const OpDef& other);
  OpDef& operator=(OpDef&& other) noexcept;
  ~OpDef();

  std::string name;     ///< in YAML, formulas, file and test names
  std::string doc;      ///< one line
  std::string formula;  ///< "y = max(x, 0)"
  std::string shapes;   ///< "[...] -> [...]"
  std::vector<OperandDeclaration> inputs;
  bool variadic = false;  ///< the last input may be repeated (concat)
  std::vector<AttributeDeclaration> attributes;
  Infer infer = nullptr;
  AxesRule axes = nullptr;  ///< nothing: opaque, runs as a whole
  Reference reference = nullptr;
  GradientRule gradient = NotDifferentiable{"not declared"};
  std::vector<Rule> rules;  ///< tried in order, the first that applies
  CostRule cost = nullptr;  ///< nothing: one FLOP an output element
  Traits traits;
  std::vector<std::size_t> writes;  ///< effects: the inputs (variables) it updates
  bool internal = false;            ///< made by passes only: cannot be written in a model file
};

/// The ops by name. Immutable after it is made; shared by everything. An op, rule, or attribute that a rule
/// keeps which is declared wrongly is Error{internal}.
class OpRegistry {
 public:
  explicit OpRegistry(std::vector<OpDef> ops);
  const OpDef* find(std::string_view name) const;         ///< null when there is none
  const OpDef& get(std::string_view name) const;          ///< throws Error{internal}
  const std::vector<OpDef>& ops() const { return ops_; }  ///< in the order of the op list

 private:
  std::vector<OpDef> ops_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

}  // namespace graphrun
