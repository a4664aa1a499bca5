/// \file
/// Values of an ONNX graph while it is imported. What is known stays known as long as it can: weights keep
/// their names through reshapes and transposes, and shapes are computed with the batch as a symbol, so that
/// what computes them leaves no trace in the model.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "layers/arrays.hpp"
#include "onnx/import/element_type.hpp"
#include "onnx/records.hpp"

namespace graphrun::onnx {

/// Axis i of a node is axis order[i] of ONNX's value. A transpose makes no node: it only changes the order.
using Order = std::vector<std::size_t>;
Order natural_order(std::size_t rank);
bool is_natural(const Order& order);
/// [n, c, h, w] as [n, h, w, c], with any number of axes between.
Order channels_last(std::size_t rank);
/// Where an axis of ONNX's is in a node of this order.
std::size_t place_of(const Order& order, std::size_t axis);
Order inverse(const Order& order);

/// Numbers of a file, or what was computed from them.
struct Stored {
  std::string name;  ///< of the weight; empty: no weight, but a constant
  Extents extents;
  std::vector<float> values;
};

/// Integers and truth values that are known before anything runs, the batch as a symbol.
struct Known {
  Extents extents;
  std::vector<Dim> elements;
};

/// In graphrun all of them are f32, integers and truth values too; indices become i32 where they are used.
struct Value {
  ElementType type = ElementType::none;  ///< none: an optional input that is left out
  Shape shape = {};                      ///< ONNX's own
  std::shared_ptr<const Stored> stored = {};
  std::shared_ptr<const Known> known = {};
  std::optional<NodeId> node = {};
  Order order = {};  ///< of the node
  /// Of a matrix whose rows are flattened images: the node's run over height, width, channels, ONNX's over
  /// channels, height, width.
  std::optional<layers::ImageExtents> flat = {};

  bool is_given() const { return type != ElementType::none; }
  bool is_constant() const { return stored != nullptr || known != nullptr; }
  std::size_t rank() const { return shape.size(); }
};

Value value_of(Known known, ElementType type);
Value value_of(Stored stored, ElementType type);
/// A tensor of the file. Throws Unsupported for types that graphrun does not read, and for integers that f32
/// cannot hold in a tensor that is too large to be a shape.
Value value_of(const TensorRecord& tensor, std::string name);

/// The numbers of a constant; nothing when the batch is in them.
std::optional<std::vector<double>> numbers_of(const Value& value);
std::optional<std::vector<std::int64_t>> integers_of(const Value& value);

/// What cannot be imported, and why: "auto_pad is SAME_UPPER, and the height is not known".
class Unsupported : public Error {
 public:
  explicit Unsupported(const std::string& reason) : Error(ErrorCode::model, reason) {}
};

/// An integer that f64 holds, as constants of a graph do; throws Unsupported for what is none.
std::int64_t integer_of(double value);

}  // namespace graphrun::onnx
