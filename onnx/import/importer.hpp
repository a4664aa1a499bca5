/// \file
/// Builds a Graph node by node from an ONNX graph: keeps what stands for each of its values, and gives it to
/// whoever asks in the order of axes that he can use.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"
#include "graph/op.hpp"
#include "onnx/import/value.hpp"
#include "onnx/records.hpp"

namespace graphrun::onnx {

class Importer;

/// One node of the file, as its translation sees it.
class Call {
 public:
  Call(const NodeRecord& record, std::vector<Value> inputs, std::int64_t opset)
      : record_(&record), inputs_(std::move(inputs)), opset_(opset) {}

  const NodeRecord& record() const { return *record_; }
  const std::string& op() const { return record_->op; }
  std::int64_t opset() const { return opset_; }
  std::size_t outputs() const { return record_->outputs.size(); }
  bool wants(std::size_t output) const {
    return output < record_->outputs.size() && !record_->outputs[output].empty();
  }

  std::size_t size() const { return inputs_.size(); }
  const std::vector<Value>& inputs() const { return inputs_; }
  bool has(std::size_t i) const { return i < inputs_.size() && inputs_[i].is_given(); }
  /// Throws Unsupported when it is not there.
  const Value& input(std::size_t i) const;
  /// The constant integers of an input; throws Unsupported when they are not known.
  std::vector<std::int64_t> integers(std::size_t i) const;
  std::optional<std::vector<double>> numbers(std::size_t i) const;

  bool has_attribute(std::string_view name) const;
  std::int64_t integer(std::string_view name, std::int64_t fallback) const;
  double number(std::string_view name, double fallback) const;
  std::string text(std::string_view name, std::string_view fallback) const;
  std::vector<std::int64_t> list(std::string_view name) const;  ///< empty when it is not there
  std::vector<float> floats(std::string_view name) const;
  std::vector<std::string> texts(std::string_view name) const;
  const TensorRecord* tensor(std::string_view name) const;
  SharedGraph graph(std::string_view name) const;
  /// Of an attribute that later opsets made an input: either, or nothing.
  std::optional<std::vector<std::int64_t>> list_or_input(std::string_view name, std::size_t i) const;
  /// An axis of a tensor of this rank, counted from the end when negative.
  std::size_t axis(std::int64_t axis, std::size_t rank) const;
  /// `perm` of a transpose: each axis of a tensor of this rank once, backwards when it is not said.
  Order permutation(std::size_t rank) const;

 private:
  template <class T>
  const T* find(std::string_view name) const;
  const NodeRecord* record_;
  std::vector<Value> inputs_;
  std::int64_t opset_;
};

using Results = std::vector<Value>;
using Import = Results (*)(Importer& importer, const Call& call);

/// Integers that are known, with the batch in them; nothing when the op is none of these, or it cannot be
/// said.
std::optional<Results> known_results(const Call& call);
/// Weights that are only moved: they stay weights.
std::optional<Results> moved_weights(const Call& call);

/// A weight of the model that is made: how it lies there.
struct Variable {
  std::string name;  ///< in the file
  Extents extents;
  std::vector<float> values;
  Order order;  ///< of its axes, by those of the file
};

class Importer {
 public:
  Importer(const OpRegistry& registry, std::int64_t opset)
      : registry_(registry), builder_(registry), opset_(opset) {}

  Builder& builder() { return builder_; }
  const Type& type(NodeId id) const { return builder_.type(id); }
  std::int64_t opset() const { return opset_; }

  // ---- Nodes ----

  /// Throws Unsupported where graphrun's op refuses, MalformedFile where the graph grows beyond all use.
  NodeId add(std::string_view op, std::vector<NodeId> inputs, Attributes attributes = {});
  NodeId number(double value);
  NodeId constant(std::vector<double> values, const Extents& extents);
  NodeId reshape(NodeId x, const Shape& shape);
  NodeId transpose(NodeId x, const Order& axes);
  NodeId floor(NodeId x);
  NodeId truncated(NodeId x);
  NodeId sum(NodeId x, std::vector<std::int64_t> axes, bool keepdims);
  NodeId mean(NodeId x, std::vector<std::int64_t> axes, bool keepdims);
  /// Elements `indices` along an axis of a node.
  static constexpr std::int64_t most_indices = 1 << 20;
  NodeId taken(NodeId x, std::size_t axis, const std::vector<std::int64_t>& indices);
  NodeId sliced(NodeId x, std::size_t axis, std::int64_t start, std::int64_t stop, std::int64_t step = 1);
  NodeId joined(std::vector<NodeId> parts, std::size_t axis);
  /// A matrix product along the last two axes, leading ones broadcast.
  NodeId product(NodeId a, NodeId b, bool transpose_a = false, bool transpose_b = false);
  NodeId broadcast(NodeId x, const Shape& shape);

  // ---- Values as nodes ----

  /// The value as an f32 node with its axes in this order.
  NodeId node(const Value& value, const Order& order);
  NodeId node(const Value& value) { return node(value, natural_order(value.rank())); }
  /// The value in the order in which it is at hand; `order` says which.
  NodeId any_order(const Value& value, Order& order);
  /// As i32, negative ones counted from the end of an axis of this length.
  NodeId index(const Value& value, const Order& order, Dim length);
  /// What fits elementwise beside a node of this rank and order.
  NodeId operand(const Value& value, std::size_t rank, const Order& order);
  /// The value of a node; natural order if none is said.
  Value value(NodeId node, ElementType type, Order order = {}) const;

  // ---- Weights ----

  const std::map<NodeId, Variable>& variables() const { return variables_; }
  /// Turns the elements along an axis of a weight that only this use has.
  void reorder(NodeId variable, std::size_t axis, const std::vector<std::int64_t>& order);
  /// Has nothing else in the file this weight?
  bool is_used_once(const Stored& stored) const;
  /// Can the weights of the matrix that made this value have their columns in another order?
  bool turn_columns(const Value& value, const layers::ImageExtents& image);

  // ---- The graph ----

  void define(const std::string& name, Value value);
  const Value* find(const std::string& name) const;
  void set_uses(std::map<std::string, std::size_t> uses) { uses_ = std::move(uses); }
  /// What a node is called: after the value that it is.
  void begin(const std::string& name) { current_ = name; }
  std::string_view current() const { return current_; }
  /// The constants of a computation that depends on nothing else.
  std::optional<Results> folded(const Call& call, Import import);
  /// The size of the first axis of inputs, when the file says a number that is taken for the batch.
  std::optional<std::int64_t> written_batch = {};
  /// An input whose first axis is the batch.
  std::optional<NodeId> batch_input = {};
  /// [batch], in the place of the numbers of the rows, 0, 1, 2, …: no op counts rows, so that nothing may be
  /// left of it in the end.
  std::optional<NodeId> row_numbers = {};

  Graph finish() && { return std::move(builder_).finish(); }

 private:
  NodeId variable(const Stored& stored, const Order& order);
  NodeId stored_node(const Value& value, const Order& order);
  NodeId known_node(const Value& value, const Order& order);
  NodeId dimension(const Dim& dim);
  NodeId unflattened(const Value& value);
  std::size_t uses(NodeId id) const;

  const OpRegistry& registry_;
  Builder builder_;
  std::size_t made_ = 0;  ///< nodes and their operands
  std::int64_t opset_;
  std::map<std::string, Value> values_;
  std::map<std::string, std::size_t> uses_;
  std::map<NodeId, std::size_t> node_uses_;  ///< of nodes that are values of the file
  std::map<NodeId, Variable> variables_;
  std::map<std::string, NodeId> variable_nodes_;  ///< by weight and extents
  std::map<std::pair<NodeId, Order>, NodeId> turned_;
  std::string current_;
};

// ---- What families share ----

/// An expression of nodes: a formula as one writes it.
struct Term {
  Importer* importer = nullptr;
  NodeId id = 0;
  Term with(NodeId other) const { return {importer, other}; }
};
Term operator+(Term a, Term b);
Term operator-(Term a, Term b);
Term operator*(Term a, Term b);
Term operator/(Term a, Term b);
Term operator+(Term a, double b);
Term operator-(Term a, double b);
Term operator*(Term a, double b);
Term operator/(Term a, double b);
Term operator-(double a, Term b);
Term operator/(double a, Term b);
Term operator-(Term a);
Term apply(std::string_view op, Term a);
Term apply(std::string_view op, Term a, Term b);
Term apply(std::string_view op, Term a, double b);
Term choose(Term condition, Term a, Term b);
/// Whole numbers, halves to the even neighbour.
Term rounded(Term x);
/// The nearest number of a float of less than 16 bits, ties to the even one; what is beyond the largest is
/// that, or else infinity or no number, as ONNX's Cast says. Throws Unsupported for a type without a zero.
Term rounded_to(Term x, ElementType type, bool saturates);

/// Operands of an elementwise op beside each other, in the order that most of them have.
struct Operands {
  std::vector<Term> nodes;
  Order order;
  std::optional<layers::ImageExtents> flat = {};  ///< of rows that are flattened images
};
Operands operands_of(Importer& importer, const std::vector<Value>& values);
/// What was computed of them, in their order.
Value result_of(const Operands& operands, Term node, ElementType type);
/// A weight that nothing else has, with an axis that runs over the pixels of ONNX's images in our order;
/// nothing for other values.
std::optional<Value> in_image_order(const Importer& importer, const Value& weight, std::size_t axis,
                                    const layers::ImageExtents& image);

/// x as a matrix of its flattened axes before `axis` and from it on.
Shape flattened_shape(const Shape& shape, std::size_t axis);
/// The one extent that a reshape leaves open.
Dim open_extent(const Shape& from, const Shape& to, std::size_t open);
Value reshaped(Importer& importer, const Value& x, const Shape& shape);
Value reduced(Importer& importer, const Value& x, std::vector<std::size_t> axes, bool keepdims,
              const std::function<NodeId(NodeId, std::vector<std::int64_t>, bool)>& reduce);

}  // namespace graphrun::onnx
