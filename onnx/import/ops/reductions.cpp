// What joins the elements along axes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "onnx/import/importer.hpp"
#include "onnx/import/ops/imported_ops.hpp"

namespace graphrun::onnx {

namespace {

using Places = std::vector<std::int64_t>;
using Reduce = NodeId (*)(Importer& importer, NodeId x, Places axes, bool keepdims);

/// Nothing: the input as it is.
std::optional<std::vector<std::size_t>> reduced_axes(const Call& call) {
  const Value& x = call.input(0);
  const std::vector<std::int64_t> written =
      call.list_or_input("axes", 1).value_or(std::vector<std::int64_t>{});
  std::vector<std::size_t> axes;
  for (const std::int64_t axis : written) {
    axes.push_back(call.axis(axis, x.rank()));
    if (std::ranges::count(axes, axes.back()) > 1) throw Unsupported("it names an axis twice");
  }
  if (axes.empty() && call.integer("noop_with_empty_axes", 0) != 0) return std::nullopt;
  if (axes.empty()) axes = natural_order(x.rank());
  return axes;
}

template <Reduce reduce>
Results reduction(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const std::vector<std::size_t> axes = reduced_axes(call).value_or(std::vector<std::size_t>{});
  return {reduced(importer, x, axes, call.integer("keepdims", 1) != 0,
                  [&](NodeId node, Places places, bool keepdims) {
                    return reduce(importer, node, std::move(places), keepdims);
                  })};
}

Attributes over(Places axes, bool keepdims) {
  return {{"axis", Axes{false, std::move(axes)}}, {"keepdims", keepdims}};
}

NodeId sum(Importer& i, NodeId x, Places axes, bool keepdims) {
  return axes.empty() ? x : i.sum(x, std::move(axes), keepdims);
}
NodeId mean(Importer& i, NodeId x, Places axes, bool keepdims) {
  return axes.empty() ? x : i.mean(x, std::move(axes), keepdims);
}
NodeId largest(Importer& i, NodeId x, Places axes, bool keepdims) {
  return axes.empty() ? x : i.add("max", {x}, over(std::move(axes), keepdims));
}
NodeId smallest(Importer& i, NodeId x, Places axes, bool keepdims) {
  return axes.empty() ? x
                      : (-Term{&i, i.add("max", {(-Term{&i, x}).id}, over(std::move(axes), keepdims))}).id;
}
NodeId absolute_sum(Importer& i, NodeId x, Places axes, bool keepdims) {
  return sum(i, apply("abs", Term{&i, x}).id, std::move(axes), keepdims);
}
NodeId square_sum(Importer& i, NodeId x, Places axes, bool keepdims) {
  return sum(i, apply("square", Term{&i, x}).id, std::move(axes), keepdims);
}
NodeId euclidean(Importer& i, NodeId x, Places axes, bool keepdims) {
  return apply("sqrt", Term{&i, square_sum(i, x, std::move(axes), keepdims)}).id;
}
NodeId log_sum(Importer& i, NodeId x, Places axes, bool keepdims) {
  return apply("log", Term{&i, sum(i, x, std::move(axes), keepdims)}).id;
}

/// Axis by axis: a logarithm of a sum of exponentials of such logarithms is one of all.
NodeId log_sum_exp(Importer& i, NodeId x, Places axes, bool keepdims) {
  std::ranges::sort(axes, std::greater<>{});
  for (const std::int64_t axis : axes) x = i.add("logsumexp", {x}, {{"axis", axis}, {"keepdims", keepdims}});
  return x;
}

/// Halves of an axis are multiplied until one element is left.
NodeId product(Importer& i, NodeId x, Places axes, bool keepdims) {
  for (const std::int64_t written : axes) {
    const auto axis = static_cast<std::size_t>(written);
    const Dim extent = i.type(x).shape[axis];
    if (!extent.is_number()) throw Unsupported("a product over the batch");
    for (std::int64_t count = extent.offset; count > 1; count = (count + 1) / 2) {
      const std::int64_t half = count / 2;
      const Term y = Term{&i, i.sliced(x, axis, 0, half)} * Term{&i, i.sliced(x, axis, half, 2 * half)};
      x = count % 2 == 0 ? y.id : i.joined({y.id, i.sliced(x, axis, count - 1, count)}, axis);
    }
  }
  if (keepdims || axes.empty()) return x;
  Shape shape;
  for (std::size_t axis = 0; axis < i.type(x).shape.size(); ++axis)
    if (std::ranges::find(axes, static_cast<std::int64_t>(axis)) == axes.end())
      shape.push_back(i.type(x).shape[axis]);
  return i.reshape(x, shape);
}

// ---- Where the largest is ----

template <bool of_largest>
Results place_of_extreme(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const std::size_t axis = call.axis(call.integer("axis", 0), x.rank());
  const bool last = call.integer("select_last_index", 0) != 0;
  Value result = reduced(importer, x, {axis}, false, [&](NodeId node, const Places& places, bool) {
    const auto place = static_cast<std::size_t>(places[0]);
    const Dim extent = importer.type(node).shape[place];
    if (!of_largest) node = (-Term{&importer, node}).id;
    if (last) {
      if (!extent.is_number() || extent.offset > Importer::most_indices)
        throw Unsupported("the last index along the batch, or a long axis");
      Places backwards;
      for (std::int64_t i = extent.offset; i-- > 0;) backwards.push_back(i);
      node = importer.taken(node, place, backwards);
    }
    const NodeId found = importer.add("argmax", {node}, {{"axis", places[0]}});
    const Term index{&importer, importer.add("cast", {found}, {{"dtype", std::string("f32")}})};
    return last ? (static_cast<double>(extent.offset - 1) - index).id : index.id;
  });
  result.type = ElementType::i64;
  if (call.integer("keepdims", 1) == 0) return {result};
  Shape shape = x.shape;
  shape[axis] = Dim::number(1);
  return {reshaped(importer, result, shape)};
}

/// Numbers that count up to an element are a matrix: one where it counts.
Results running(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const std::size_t axis = call.axis(call.integers(1).at(0), x.rank());
  if (!x.shape[axis].is_number() || x.shape[axis].offset > 1024)
    throw Unsupported("a running sum along an axis whose length is not known");
  const std::int64_t n = x.shape[axis].offset;
  const bool excludes = call.integer("exclusive", 0) != 0;
  const bool reverse = call.integer("reverse", 0) != 0;
  std::vector<double> counts;
  for (std::int64_t from = 0; from < n; ++from)
    for (std::int64_t to = 0; to < n; ++to) {
      const std::int64_t ahead = reverse ? from - to : to - from;
      counts.push_back(ahead > 0 || (ahead == 0 && !excludes) ? 1 : 0);
    }
  Order last;
  for (std::size_t i = 0; i < x.rank(); ++i)
    if (i != axis) last.push_back(i);
  last.push_back(axis);
  const NodeId turned = importer.node(x, last);
  const Shape shape = importer.type(turned).shape;
  const NodeId rows = importer.reshape(turned, {Dim::number(-1), Dim::number(n)});
  const NodeId y = importer.product(rows, importer.constant(std::move(counts), {n, n}));
  return {importer.value(importer.reshape(y, shape), x.type, last)};
}

/// The same of products: of each element all that count, one where none does.
Results running_product(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const std::size_t axis = call.axis(call.integers(1).at(0), x.rank());
  if (!x.shape[axis].is_number() || x.shape[axis].offset > 64)
    throw Unsupported("a running product along a long axis");
  const std::int64_t n = x.shape[axis].offset;
  const bool excludes = call.integer("exclusive", 0) != 0;
  const bool reverse = call.integer("reverse", 0) != 0;
  const NodeId node = importer.node(x);
  std::vector<NodeId> parts(static_cast<std::size_t>(n));
  Term so_far = Term{&importer, importer.sliced(node, axis, 0, 1)} * 0.0 + 1.0;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t at = reverse ? n - 1 - i : i;
    const Term next = so_far * so_far.with(importer.sliced(node, axis, at, at + 1));
    parts[static_cast<std::size_t>(at)] = excludes ? so_far.id : next.id;
    so_far = next;
  }
  return {importer.value(importer.joined(std::move(parts), axis), x.type)};
}

/// The k largest one after the other: each is found, and left out from then on.
Results top_k(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const std::size_t axis = call.axis(call.integer("axis", -1), x.rank());
  const std::int64_t k = call.opset() < 10 ? call.integer("k", 1) : call.integers(1).at(0);
  const bool of_largest = call.integer("largest", 1) != 0;
  if (!x.shape[axis].is_number()) throw Unsupported(fmt::format("the {} largest of the batch", k));
  if (k < 1 || k > x.shape[axis].offset)
    throw Unsupported(fmt::format("the {} largest of an axis of {}", k, x.shape[axis].offset));
  if (k > 64) throw Unsupported(fmt::format("the {} largest: more than 64", k));
  Order last;
  for (std::size_t i = 0; i < x.rank(); ++i)
    if (i != axis) last.push_back(i);
  last.push_back(axis);
  Term left{&importer, importer.node(x, last)};
  if (!of_largest) left = -left;
  Shape one = importer.type(left.id).shape;
  const std::int64_t n = one.back().offset;
  one.back() = Dim::number(1);
  std::vector<NodeId> values;
  std::vector<NodeId> places;
  for (std::int64_t i = 0; i < k; ++i) {
    const NodeId place = importer.add("argmax", {left.id}, {{"axis", std::int64_t{-1}}});
    const Term chosen{&importer, importer.add("one_hot", {place}, {{"depth", n}})};
    const NodeId largest_value =
        importer.add("max", {left.id}, over({static_cast<std::int64_t>(one.size()) - 1}, true));
    values.push_back(of_largest ? largest_value : (-left.with(largest_value)).id);
    places.push_back(importer.reshape(importer.add("cast", {place}, {{"dtype", std::string("f32")}}), one));
    left = choose(chosen, left.with(importer.number(-std::numeric_limits<double>::infinity())), left);
  }
  return {importer.value(importer.joined(values, one.size() - 1), x.type, last),
          importer.value(importer.joined(places, one.size() - 1), ElementType::i64, last)};
}

/// 1 for each of the k largest along the last axis, as own_ops.cpp finds it.
Results top_k_mask(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const std::int64_t k = call.integers(1).at(0);
  if (x.rank() == 0 || !x.shape.back().is_number(call.integers(2).at(0)))
    throw Unsupported("a mask of another length");
  return {importer.value(importer.add("top_k_mask", {importer.node(x)}, {{"k", k}}), x.type)};
}

/// 1 at the first of the largest along an axis.
Results hardmax(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const std::size_t axis = call.axis(call.integer("axis", call.opset() < 13 ? 1 : -1), x.rank());
  Order last;
  for (std::size_t i = 0; i < x.rank(); ++i)
    if (i != axis) last.push_back(i);
  last.push_back(axis);
  if (!x.shape[axis].is_number()) throw Unsupported("the largest along the batch");
  const NodeId place = importer.add("argmax", {importer.node(x, last)}, {{"axis", std::int64_t{-1}}});
  return {importer.value(importer.add("one_hot", {place}, {{"depth", x.shape[axis].offset}}), x.type, last)};
}

constexpr ImportedOp table[] = {
    {"ReduceSum", reduction<sum>},
    {"ReduceMean", reduction<mean>},
    {"ReduceMax", reduction<largest>},
    {"ReduceMin", reduction<smallest>},
    {"ReduceProd", reduction<product>},
    {"ReduceL1", reduction<absolute_sum>},
    {"ReduceL2", reduction<euclidean>},
    {"ReduceSumSquare", reduction<square_sum>},
    {"ReduceLogSum", reduction<log_sum>},
    {"ReduceLogSumExp", reduction<log_sum_exp>},
    {"ArgMax", place_of_extreme<true>},
    {"ArgMin", place_of_extreme<false>},
    {"CumSum", running},
    {"CumProd", running_product},
    {"TopK", top_k},
    {"graphrun.TopKMask", top_k_mask},
    {"Hardmax", hardmax},
};

}  // namespace

std::span<const ImportedOp> reduction_imports() {
  return table;
}

}  // namespace graphrun::onnx
