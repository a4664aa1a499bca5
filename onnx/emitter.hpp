/// \file
/// Builds an ONNX graph node by node from a Graph: keeps the value that stands for each node, in every form
/// that others ask for, and gives names in the end.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"
#include "onnx/layout.hpp"
#include "onnx/records.hpp"

namespace graphrun::onnx {

/// A value of the ONNX graph.
using Value = std::uint32_t;
/// An optional input that is left out.
inline constexpr Value no_value = 0xFFFFFFFF;

/// What a node's value is asked for as, beside its own type.
enum class Form : std::uint8_t {
  itself,   ///< f32, i32, u8 as in the graph
  boolean,  ///< of what is compared: true and false for 1 and 0
  index     ///< i64 for i32
};

/// What a graph takes from the model around it.
struct Surroundings {
  /// The values of a variable.
  std::function<std::span<const float>(const std::string& name)> variable;
  /// Inputs that have a value by now, which is written to the file: schedules.
  std::map<std::string, double> settled = {};
  /// f32 inputs that are u8 in the file, and what their values are divided by.
  std::map<std::string, double> pixels = {};
};

class Emitter {
 public:
  Emitter(const Graph& graph, const Surroundings& surroundings, std::int64_t opset);

  const Graph& graph() const { return graph_; }
  const Node& node(NodeId id) const { return graph_.node(id); }
  std::int64_t opset() const { return opset_; }
  std::size_t uses(NodeId id) const { return uses_[id]; }
  /// How the value of this node should lie if it can choose: plain, or flat.
  const Layout& planned(NodeId id) const { return planned_[id]; }

  // ---- ONNX's own values ----

  /// Adds a node. It is named after the graph's node that is translated.
  Value add(std::string op, std::vector<Value> inputs, std::vector<AttributeRecord> attributes = {});
  /// The same of an op with several outputs.
  std::vector<Value> add_outputs(std::string op, std::vector<Value> inputs,
                                 std::vector<AttributeRecord> attributes, std::size_t outputs);
  /// Of these, the one that is used.
  Value add_output(std::string op, std::vector<Value> inputs, std::vector<AttributeRecord> attributes,
                   std::size_t outputs, std::size_t used);
  Value integers(const std::vector<std::int64_t>& values);  ///< i64[n]
  Value number(double value, ElementType type = ElementType::f32, const Extents& shape = {});
  Value floats(const std::vector<float>& values);  ///< f32[n]

  // ---- Values of the graph's nodes ----

  /// The node that is translated: what is added now is named after it.
  void begin(NodeId id) { current_ = id; }
  void define(NodeId id, Value value, const Layout& layout = plain, Form form = Form::itself);
  /// How the node's value lies, as it was defined.
  const Layout& layout(NodeId id) const { return own_layout_[id]; }
  bool is_defined_as(NodeId id, Form form) const;
  /// The node's value, turned and converted as it is asked for.
  Value value(NodeId id, const Layout& layout = plain, Form form = Form::itself);

  /// The numbers of a variable or constant.
  std::vector<float> numbers(NodeId id) const;
  /// A variable or constant as it is stored: `made` from its numbers. Equal keys are the same value.
  struct Stored {
    Extents extents;
    std::vector<float> values;
  };
  Value stored(NodeId id, const std::string& key, const std::function<Stored()>& made);

  /// A shape as i64[rank], its batch computed from an input. Throws OpError when no input tells the batch.
  Value shape(const Shape& shape);
  /// One extent of it, as i64[1].
  Value extent(const Dim& dim);
  /// `value` of shape `from` in the shape `to`.
  Value reshaped(Value value, const Shape& from, const Shape& to);

  // ---- The end ----

  /// What the outputs need, with names: a graph's node gives its own to its value, an output the output's.
  GraphRecord finish();

 private:
  struct Emitted {
    std::string op;
    std::vector<Value> inputs;
    std::vector<Value> outputs;
    std::vector<AttributeRecord> attributes;
    NodeId served = 0;
  };
  struct ValueRecord {
    std::string name = {};                 ///< wanted; made unique in the end
    std::optional<std::size_t> made_by;    ///< index into emitted_
    std::optional<std::size_t> stored_at;  ///< index into tensors_
    bool is_input = false;
    bool is_named = false;  ///< after a node of the graph
  };
  struct Key {
    NodeId id = 0;
    Layout layout = {};
    Form form = Form::itself;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  Value new_value(ValueRecord record);
  Value tensor(TensorRecord record);
  void define_input(NodeId id);
  Value define_constant(NodeId id);
  Value converted(NodeId id, const Layout& layout);
  Value stored_as(NodeId id, const Layout& layout);
  Value to_channels_first(Value value, const Shape& shape);
  Value to_plain(Value value, const Shape& shape);
  Value in_form(Value value, Form from, Form to);
  Value batch();
  void claim_outputs(GraphRecord& record);
  std::vector<bool> needed() const;
  static std::string unique(const std::string& wanted, std::map<std::string, int>& uses);
  std::vector<std::string> value_names(GraphRecord& record, const std::vector<bool>& used) const;

  const Graph& graph_;
  const Surroundings& surroundings_;
  std::int64_t opset_;
  std::vector<std::size_t> uses_;
  std::vector<Layout> planned_;
  std::vector<Layout> own_layout_;
  std::vector<Form> own_form_;
  std::map<Key, Value> values_;
  std::map<std::string, Value> constants_;  ///< by type, shape and bytes
  std::map<std::pair<NodeId, std::string>, Value> stored_;
  std::vector<ValueRecord> records_;
  std::vector<Emitted> emitted_;
  std::vector<TensorRecord> tensors_;
  std::vector<ValueInfo> inputs_;
  std::vector<Value> input_values_;
  std::vector<Value> output_values_;
  std::optional<Value> batch_;
  NodeId current_ = 0;
};

ElementType element_type(DType dtype);
std::vector<Dimension> dimensions(const Shape& shape);

}  // namespace graphrun::onnx
