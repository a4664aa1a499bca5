// What is drawn: new for every call, as in the file, which says no seed that two runtimes would share.
#include "onnx/import/importer.hpp"
#include "onnx/import/ops/imported_ops.hpp"

namespace graphrun::onnx {

namespace {

Term uniform(Importer& importer, const Shape& shape) {
  return {&importer, importer.add("random_uniform", {}, {{"shape", shape}})};
}

Term normal(Importer& importer, const Shape& shape, const Call& call) {
  const Term draw{&importer, importer.add("random_normal", {}, {{"shape", shape}})};
  return draw * call.number("scale", 1) + call.number("mean", 0);
}

Term between(Importer& importer, const Shape& shape, const Call& call) {
  const double low = call.number("low", 0);
  return uniform(importer, shape) * (call.number("high", 1) - low) + low;
}

Shape shape_attribute(const Call& call) {
  Shape shape;
  for (const std::int64_t extent : call.list("shape")) shape.push_back(Dim::number(extent));
  return shape;
}

using Drawn = Term (*)(Importer& importer, const Shape& shape, const Call& call);

template <Drawn draw>
Results of_shape(Importer& importer, const Call& call) {
  return {importer.value(draw(importer, shape_attribute(call), call).id, ElementType::f32)};
}

template <Drawn draw>
Results like(Importer& importer, const Call& call) {
  return {importer.value(draw(importer, call.input(0).shape, call).id, ElementType::f32)};
}

/// 1 with a probability of each element's own.
Results bernoulli(Importer& importer, const Call& call) {
  const Value& p = call.input(0);
  Order order;
  const Term chance{&importer, importer.any_order(p, order)};
  const Term hit = apply("less", uniform(importer, importer.type(chance.id).shape), chance);
  const auto type = static_cast<ElementType>(call.integer("dtype", static_cast<std::int64_t>(p.type)));
  return {importer.value(hit.id, type, order)};
}

/// In training, as the file has it: with new draws for every call.
Results drawn_dropout(Importer& importer, const Call& call, double ratio) {
  Order order;
  const Term x{&importer, importer.any_order(call.input(0), order)};
  const Term kept = apply("greater_equal", uniform(importer, importer.type(x.id).shape), ratio);
  const double scale = ratio < 1 ? 1 / (1 - ratio) : 0;
  return {importer.value((x * kept * scale).id, call.input(0).type, order),
          importer.value(kept.id, ElementType::boolean, order)};
}

Results dropout(Importer& importer, const Call& call) {
  const std::optional<std::vector<double>> training = call.numbers(2);
  const double ratio = call.numbers(1).value_or(std::vector<double>{0.5}).at(0);
  if (call.has(1) && !call.numbers(1)) throw Unsupported("a ratio that depends on what the model is given");
  if (call.has(2) && !training) throw Unsupported("whether it drops depends on what the model is given");
  if (training && training->at(0) != 0 && ratio > 0) return drawn_dropout(importer, call, ratio);
  Results results = {call.input(0)};
  if (call.wants(1)) {
    const NodeId ones = importer.broadcast(importer.number(1), call.input(0).shape);
    results.push_back(importer.value(ones, ElementType::boolean));
  }
  return results;
}

constexpr ImportedOp table[] = {
    {"RandomNormal", of_shape<normal>},
    {"RandomNormalLike", like<normal>},
    {"RandomUniform", of_shape<between>},
    {"RandomUniformLike", like<between>},
    {"Bernoulli", bernoulli},
    {"Dropout", dropout},
};

}  // namespace

std::span<const ImportedOp> random_imports() {
  return table;
}

}  // namespace graphrun::onnx
