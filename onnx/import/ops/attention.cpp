// What looks at all places of a sequence.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "onnx/import/importer.hpp"
#include "onnx/import/ops/imported_ops.hpp"

namespace graphrun::onnx {

namespace {

std::int64_t fixed(const Dim& dim, const char* what) {
  if (!dim.is_number()) throw Unsupported(fmt::format("{} that depends on the batch", what));
  return dim.offset;
}

/// [batch, length, heads · size] as [batch, heads, length, size]; four axes are that already.
NodeId in_heads(Importer& importer, const Value& x, std::int64_t heads) {
  if (x.rank() == 4) return importer.node(x);
  if (x.rank() != 3 || heads < 1) throw Unsupported("queries of no heads");
  const std::int64_t width = fixed(x.shape[2], "a width");
  if (width % heads != 0) throw Unsupported(fmt::format("{} heads of {} numbers", heads, width));
  const NodeId split = importer.reshape(
      importer.node(x), {x.shape[0], x.shape[1], Dim::number(heads), Dim::number(width / heads)});
  return importer.transpose(split, {0, 2, 1, 3});
}

/// Heads of keys that several heads of queries share, each as often as there are.
NodeId repeated(Importer& importer, NodeId x, std::int64_t times) {
  if (times < 1) throw Unsupported("fewer heads of queries than of keys");
  if (times == 1) return x;
  std::vector<std::int64_t> from;
  if (fixed(importer.type(x).shape[1], "heads") > 65536 / times) throw Unsupported("more than 65536 heads");
  for (std::int64_t i = 0; i < fixed(importer.type(x).shape[1], "heads") * times; ++i)
    from.push_back(i / times);
  return importer.taken(x, 1, from);
}

/// 0 where a query may look, minus infinity at keys behind it.
Term causal(Importer& importer, std::int64_t queries, std::int64_t keys, std::int64_t past) {
  if (checked_multiply(queries, keys) > Importer::most_indices)
    throw Unsupported("a mask of more than a million elements");
  std::vector<double> mask;
  for (std::int64_t q = 0; q < queries; ++q)
    for (std::int64_t k = 0; k < keys; ++k)
      mask.push_back(k <= q + past ? 0 : -std::numeric_limits<double>::infinity());
  return {&importer, importer.constant(std::move(mask), {queries, keys})};
}

Results attention(Importer& importer, const Call& call) {
  const Value& query = call.input(0);
  NodeId q = in_heads(importer, query, call.integer("q_num_heads", 0));
  NodeId k = in_heads(importer, call.input(1), call.integer("kv_num_heads", 0));
  NodeId v = in_heads(importer, call.input(2), call.integer("kv_num_heads", 0));
  std::int64_t past = 0;
  if (call.has(4) && call.has(5)) {
    past = fixed(call.input(4).shape.at(2), "a length");
    k = importer.joined({importer.node(call.input(4)), k}, 2);
    v = importer.joined({importer.node(call.input(5)), v}, 2);
  }
  const NodeId present_key = k;
  const NodeId present_value = v;
  if (call.has(6)) throw Unsupported("lengths of keys that are given");
  const std::int64_t times =
      fixed(importer.type(q).shape[1], "heads") / fixed(importer.type(k).shape[1], "heads");
  k = repeated(importer, k, times);
  v = repeated(importer, v, times);
  const std::int64_t size = fixed(importer.type(q).shape[3], "a width");
  const double scale = call.number("scale", 1 / std::sqrt(static_cast<double>(size)));
  const Term products{&importer, importer.product((Term{&importer, q} * scale).id, k, false, true)};
  const std::int64_t mode = call.integer("qk_matmul_output_mode", 0);
  Term shown = products;
  Term scores = products;
  const double cap = call.number("softcap", 0);
  const auto capped = [&](Term x) { return cap == 0 ? x : apply("tanh", x / cap) * cap; };
  const std::int64_t queries = fixed(importer.type(q).shape[2], "a length");
  const std::int64_t keys = fixed(importer.type(k).shape[2], "a length");
  scores = capped(scores);
  const Term after_cap = scores;
  if (call.integer("is_causal", 0) != 0) scores = scores + causal(importer, queries, keys, past);
  if (call.has(3)) {
    const Value& mask = call.input(3);
    Term given = scores.with(importer.node(mask));
    if (!mask.shape.empty() && mask.shape.back() != Dim::number(keys))
      throw Unsupported("a mask of another length");
    if (mask.type == ElementType::boolean)
      given = choose(given, given.with(importer.number(0)),
                     given.with(importer.number(-std::numeric_limits<double>::infinity())));
    scores = scores + given;
  }
  const Term shares = scores.with(importer.add("softmax", {scores.id}));
  if (mode == 1) shown = after_cap;
  if (mode == 2) shown = scores;
  if (mode == 3) shown = shares;
  NodeId y = importer.product(shares.id, v);
  if (query.rank() == 3) {
    const Shape shape = importer.type(y).shape;
    const std::int64_t width = fixed(shape[1], "heads") * fixed(shape[3], "a width");
    y = importer.reshape(importer.transpose(y, {0, 2, 1, 3}), {shape[0], shape[2], Dim::number(width)});
  }
  return {importer.value(y, query.type), importer.value(present_key, query.type),
          importer.value(present_value, query.type), importer.value(shown.id, query.type)};
}

/// Pairs of numbers are turned by angles whose cosine and sine are given.
Results rotary_embedding(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  NodeId heads = x.rank() == 4 ? importer.transpose(importer.node(x), {0, 2, 1, 3}) : 0;
  if (x.rank() == 3) {
    const std::int64_t count = call.integer("num_heads", 0);
    if (count < 1) throw Unsupported("queries of no heads");
    heads = importer.reshape(importer.node(x), {x.shape[0], x.shape[1], Dim::number(count),
                                                Dim::number(fixed(x.shape[2], "a width") / count)});
  } else if (x.rank() != 4) {
    throw Unsupported("queries of no heads");
  }
  const Shape shape = importer.type(heads).shape;  // [batch, length, heads, size]
  const std::int64_t size = fixed(shape[3], "a width");
  std::int64_t turned = call.integer("rotary_embedding_dim", 0);
  if (turned == 0) turned = size;
  if (turned < 0 || turned > size)
    throw Unsupported(fmt::format("{} numbers of {} are turned", turned, size));
  const auto angles = [&](std::size_t i) -> Term {
    NodeId node = importer.node(call.input(i));
    if (call.has(3))
      node = importer.add("gather", {node, importer.index(call.input(3), natural_order(call.input(3).rank()),
                                                          call.input(i).shape.at(0))});
    Shape with_heads = importer.type(node).shape;
    if (with_heads.size() != 3) throw Unsupported("angles of other axes");
    with_heads.insert(with_heads.begin() + 2, Dim::number(1));
    return {&importer, importer.reshape(node, with_heads)};
  };
  const Term cosine = angles(1);
  const Term sine = angles(2);
  const bool interleaved = call.integer("interleaved", 0) != 0;
  const auto half = [&](std::int64_t i) -> Term {
    if (interleaved)
      return {&importer, importer.add("slice", {heads},
                                      {{"axis", std::int64_t{3}},
                                       {"start", i},
                                       {"stop", turned == size ? 0 : turned},
                                       {"step", std::int64_t{2}}})};
    return {&importer, importer.sliced(heads, 3, i * turned / 2, (i + 1) * turned / 2)};
  };
  const Term first = half(0);
  const Term second = half(1);
  const Term real = first * cosine - second * sine;
  const Term imaginary = first * sine + second * cosine;
  NodeId y = 0;
  if (interleaved) {
    Shape column = importer.type(real.id).shape;
    column.push_back(Dim::number(1));
    const NodeId pairs =
        importer.joined({importer.reshape(real.id, column), importer.reshape(imaginary.id, column)}, 4);
    column.pop_back();
    column.back() = Dim::number(turned);
    y = importer.reshape(pairs, column);
  } else {
    y = importer.joined({real.id, imaginary.id}, 3);
  }
  if (turned < size) y = importer.joined({y, importer.sliced(heads, 3, turned, size)}, 3);
  if (x.rank() == 4) y = importer.transpose(y, {0, 2, 1, 3});
  return {importer.value(importer.reshape(y, x.shape), x.type)};
}

constexpr ImportedOp table[] = {{"Attention", attention}, {"RotaryEmbedding", rotary_embedding}};

}  // namespace

std::span<const ImportedOp> attention_imports() {
  return table;
}

}  // namespace graphrun::onnx
