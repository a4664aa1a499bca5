// Weights that are only moved stay weights, with their names.
#include <algorithm>

#include "onnx/import/importer.hpp"

namespace graphrun::onnx {

std::optional<Results> moved_weights(const Call& call) {
  if (call.size() == 0 || !call.inputs()[0].stored) return std::nullopt;
  const Stored& stored = *call.inputs()[0].stored;
  const auto with_extents = [&](Extents extents) -> std::optional<Results> {
    if (element_count(extents) != element_count(stored.extents)) return std::nullopt;
    return Results{value_of(Stored{stored.name, std::move(extents), stored.values}, call.input(0).type)};
  };
  if (call.op() == "Identity") return Results{call.input(0)};
  if (call.op() == "Cast" && is_float(static_cast<ElementType>(call.integer("to", 0))))
    return Results{call.input(0)};
  if (call.op() == "Reshape" && call.opset() >= 5 && element_count(stored.extents) > 0) {
    Extents extents = call.integers(1);
    std::int64_t rest = 1;
    for (std::size_t i = 0; i < extents.size(); ++i) {
      if (extents[i] == 0 && i < stored.extents.size()) extents[i] = stored.extents[i];
      if (extents[i] < -1) return std::nullopt;
      if (extents[i] > 0) rest = checked_multiply(rest, extents[i]);
    }
    for (std::int64_t& extent : extents)
      if (extent == -1 && rest != 0) extent = element_count(stored.extents) / rest;
    return with_extents(std::move(extents));
  }
  if (call.op() == "Transpose" && element_count(stored.extents) > 0) {
    const Order axes = call.permutation(stored.extents.size());
    return Results{value_of(Stored{stored.name, layers::transposed(stored.extents, axes),
                                   layers::transposed(stored.values, stored.extents, axes)},
                            call.input(0).type)};
  }
  if (call.op() == "Unsqueeze" || call.op() == "Squeeze") {
    const auto axes = call.list_or_input("axes", 1);
    const bool adds = call.op() == "Unsqueeze";
    Extents extents;
    if (adds && axes) {
      const std::size_t rank = stored.extents.size() + axes->size();
      std::vector<bool> is_new(rank, false);
      for (const std::int64_t axis : *axes) is_new[call.axis(axis, rank)] = true;
      std::size_t next = 0;
      for (std::size_t i = 0; i < rank; ++i) {
        if (!is_new[i] && next == stored.extents.size()) return std::nullopt;
        extents.push_back(is_new[i] ? 1 : stored.extents[next++]);
      }
    } else {
      std::vector<bool> dropped(stored.extents.size(), false);
      for (std::size_t i = 0; i < dropped.size(); ++i) dropped[i] = !axes && stored.extents[i] == 1;
      if (axes)
        for (const std::int64_t axis : *axes) dropped[call.axis(axis, stored.extents.size())] = true;
      for (std::size_t i = 0; i < dropped.size(); ++i)
        if (!dropped[i]) extents.push_back(stored.extents[i]);
    }
    return with_extents(std::move(extents));
  }
  return std::nullopt;
}

}  // namespace graphrun::onnx
