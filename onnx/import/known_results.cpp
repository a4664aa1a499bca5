// Integers that are computed from shapes: exact, with the batch as a symbol.
#include <algorithm>
#include <cmath>
#include <map>

#include "onnx/import/importer.hpp"

namespace graphrun::onnx {

namespace {

using Elements = std::vector<Dim>;
using Fold = std::optional<Results> (*)(const Call& call);

constexpr std::int64_t most_elements = 1 << 20;

const Known* known(const Call& call, std::size_t i) {
  return call.has(i) ? call.inputs()[i].known.get() : nullptr;
}

Results one(Elements elements, Extents extents, ElementType type) {
  return {value_of(Known{std::move(extents), std::move(elements)}, type)};
}

// ---- Arithmetic; nothing where the batch does not allow it ----

using Answer = std::optional<Dim>;

Answer sum(Dim a, Dim b) {
  return Dim{checked_add(a.factor, b.factor), checked_add(a.offset, b.offset)};
}
Answer difference(Dim a, Dim b) {
  return sum(a, {checked_multiply(b.factor, -1), checked_multiply(b.offset, -1)});
}
Answer product(Dim a, Dim b) {
  if (!a.is_number()) std::swap(a, b);
  if (!a.is_number()) return std::nullopt;
  return Dim{checked_multiply(a.offset, b.factor), checked_multiply(a.offset, b.offset)};
}
Answer quotient(Dim a, Dim b) {
  if (!b.is_number() || b.offset == 0 || b.offset == -1) return b.is_number(-1) ? product(a, b) : Answer{};
  if (!a.is_number() && (a.factor % b.offset != 0 || a.offset % b.offset != 0)) return std::nullopt;
  return Dim{a.factor / b.offset, a.offset / b.offset};
}
/// The sign of a − b for every batch of at least 1: −1, 0, 1, or nothing.
std::optional<int> order_of(Dim a, Dim b) {
  const Answer d = difference(a, b);
  if (d->factor == 0) return d->offset < 0 ? -1 : d->offset > 0 ? 1 : 0;
  const std::int64_t least = checked_add(d->factor, d->offset);
  if (d->factor > 0 && least > 0) return 1;
  if (d->factor < 0 && least < 0) return -1;
  return std::nullopt;
}
Answer truth(bool holds) {
  return Dim::number(holds ? 1 : 0);
}
Answer remainder(Dim a, Dim b) {
  if (!a.is_number() || !b.is_number() || b.offset == 0 || b.offset == -1) return std::nullopt;
  const std::int64_t rest = a.offset % b.offset;
  return Dim::number(rest != 0 && (rest < 0) != (b.offset < 0) ? rest + b.offset : rest);
}
template <int wanted, bool negated>
Answer compared(Dim a, Dim b) {
  const std::optional<int> order = order_of(a, b);
  if (!order) return std::nullopt;
  return truth((*order == wanted) != negated);
}
Answer larger(Dim a, Dim b) {
  const std::optional<int> order = order_of(a, b);
  return order ? Answer(*order < 0 ? b : a) : Answer{};
}
Answer smaller(Dim a, Dim b) {
  const std::optional<int> order = order_of(a, b);
  return order ? Answer(*order < 0 ? a : b) : Answer{};
}
template <bool both>
Answer joined(Dim a, Dim b) {
  if (!a.is_number() || !b.is_number()) return std::nullopt;
  return truth(both ? a.offset != 0 && b.offset != 0 : a.offset != 0 || b.offset != 0);
}

/// The place in a tensor that is stretched to these extents.
std::size_t stretched_place(std::size_t place, const Extents& extents, const Extents& own) {
  std::size_t result = 0;
  std::size_t stride = 1;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const auto extent = static_cast<std::size_t>(extents[extents.size() - 1 - i]);
    const std::size_t at = place % extent;
    place /= extent;
    if (i >= own.size()) continue;
    const auto mine = static_cast<std::size_t>(own[own.size() - 1 - i]);
    if (mine > 1) result += at * stride;
    stride *= mine;
  }
  return result;
}

Shape numbers(const Extents& extents) {
  Shape shape;
  for (const std::int64_t extent : extents) shape.push_back(Dim::number(extent));
  return shape;
}

std::optional<Extents> common(const std::vector<const Known*>& operands) {
  Shape shape;
  for (const Known* const operand : operands) {
    const std::optional<Shape> next = graphrun::broadcast(shape, numbers(operand->extents));
    if (!next) return std::nullopt;
    shape = *next;
  }
  Extents extents = graphrun::bind(shape, 1);
  if (element_count(extents) > most_elements) return std::nullopt;
  return extents;
}

template <Answer (*function)(Dim, Dim)>
std::optional<Results> combined(const Call& call) {
  std::vector<const Known*> operands;
  for (std::size_t i = 0; i < call.size(); ++i) operands.push_back(known(call, i));
  if (operands.size() < 2 || std::ranges::count(operands, nullptr) > 0) return std::nullopt;
  const std::optional<Extents> extents = common(operands);
  if (!extents) return std::nullopt;
  Elements elements;
  for (std::size_t i = 0; i < static_cast<std::size_t>(element_count(*extents)); ++i) {
    Answer result = operands[0]->elements[stretched_place(i, *extents, operands[0]->extents)];
    for (std::size_t k = 1; k < operands.size() && result; ++k)
      result = function(*result, operands[k]->elements[stretched_place(i, *extents, operands[k]->extents)]);
    if (!result) return std::nullopt;
    elements.push_back(*result);
  }
  return one(std::move(elements), *extents, call.input(0).type);
}
template <Answer (*function)(Dim, Dim)>
std::optional<Results> tested(const Call& call) {
  std::optional<Results> results = combined<function>(call);
  if (results) results->front().type = ElementType::boolean;
  return results;
}

std::optional<Results> chosen(const Call& call) {
  const std::vector<const Known*> operands = {known(call, 0), known(call, 1), known(call, 2)};
  if (std::ranges::count(operands, nullptr) > 0) return std::nullopt;
  const std::optional<Extents> extents = common(operands);
  if (!extents) return std::nullopt;
  Elements elements;
  for (std::size_t i = 0; i < static_cast<std::size_t>(element_count(*extents)); ++i) {
    const Dim condition = operands[0]->elements[stretched_place(i, *extents, operands[0]->extents)];
    if (!condition.is_number()) return std::nullopt;
    const Known& from = *operands[condition.offset != 0 ? 1 : 2];
    elements.push_back(from.elements[stretched_place(i, *extents, from.extents)]);
  }
  return one(std::move(elements), *extents, call.input(1).type);
}

// ---- Shapes ----

std::optional<Results> shape(const Call& call) {
  const Value& x = call.input(0);
  const auto rank = static_cast<std::int64_t>(x.rank());
  const auto clamped = [rank](std::int64_t i) {
    return std::clamp<std::int64_t>(i < 0 ? i + rank : i, 0, rank);
  };
  const std::int64_t begin = clamped(call.integer("start", 0));
  const std::int64_t end = std::max(begin, clamped(call.integer("end", rank)));
  Elements elements(x.shape.begin() + begin, x.shape.begin() + end);
  return one(std::move(elements), {end - begin}, ElementType::i64);
}

std::optional<Results> size(const Call& call) {
  const std::vector<std::int64_t> count = element_polynomial(call.input(0).shape);
  if (count.size() > 2) return std::nullopt;
  const Dim dim{count.size() > 1 ? count[1] : 0, count.empty() ? 0 : count[0]};
  return one({dim}, {}, ElementType::i64);
}

/// Elements of a list or of one axis of a table.
std::optional<Results> gather(const Call& call) {
  const Known* const x = known(call, 0);
  const Known* const index = known(call, 1);
  if (x == nullptr || index == nullptr || x->extents.size() != 1) return std::nullopt;
  Elements elements;
  for (const Dim& i : index->elements) {
    if (!i.is_number()) return std::nullopt;
    const std::int64_t place = i.offset < 0 ? i.offset + x->extents[0] : i.offset;
    if (place < 0 || place >= x->extents[0]) return std::nullopt;
    elements.push_back(x->elements[static_cast<std::size_t>(place)]);
  }
  return one(std::move(elements), index->extents, call.input(0).type);
}

std::optional<Results> concat(const Call& call) {
  Elements elements;
  for (std::size_t i = 0; i < call.size(); ++i) {
    const Known* const part = known(call, i);
    if (part == nullptr || part->extents.size() != 1) return std::nullopt;
    elements.insert(elements.end(), part->elements.begin(), part->elements.end());
  }
  const auto count = static_cast<std::int64_t>(elements.size());
  return one(std::move(elements), {count}, call.input(0).type);
}

std::optional<Results> slice(const Call& call) {
  const Known* const x = known(call, 0);
  if (x == nullptr || x->extents.size() != 1) return std::nullopt;
  const bool old = call.opset() < 10;
  const std::int64_t start = (old ? call.list("starts") : call.integers(1)).at(0);
  const std::int64_t stop = (old ? call.list("ends") : call.integers(2)).at(0);
  const std::int64_t step = !old && call.has(4) ? call.integers(4).at(0) : 1;
  if (step < 1) return std::nullopt;
  const std::int64_t extent = x->extents[0];
  const auto clamped = [extent](std::int64_t i) {
    return std::clamp<std::int64_t>(i < 0 ? std::max(i, -extent) + extent : i, 0, extent);
  };
  Elements elements;
  for (std::int64_t i = clamped(start); i < clamped(stop); i += std::min(step, extent))
    elements.push_back(x->elements[static_cast<std::size_t>(i)]);
  const auto count = static_cast<std::int64_t>(elements.size());
  return one(std::move(elements), {count}, call.input(0).type);
}

std::optional<Results> split(const Call& call) {
  const Known* const x = known(call, 0);
  if (x == nullptr || x->extents.size() != 1) return std::nullopt;
  const auto count = static_cast<std::int64_t>(call.outputs());
  std::vector<std::int64_t> parts = call.list_or_input("split", 1).value_or(std::vector<std::int64_t>{});
  if (parts.empty()) parts.assign(static_cast<std::size_t>(count), x->extents[0] / count);
  Results results;
  std::size_t at = 0;
  for (const std::int64_t part : parts) {
    if (part < 0 || static_cast<std::size_t>(part) > x->elements.size() - at) return std::nullopt;
    const auto first = x->elements.begin() + static_cast<std::ptrdiff_t>(at);
    results.push_back(value_of(Known{{part}, Elements(first, first + part)}, call.input(0).type));
    at += static_cast<std::size_t>(part);
  }
  if (at != x->elements.size()) return std::nullopt;
  return results;
}

/// The same elements in another shape.
std::optional<Results> reshaped(const Call& call, Extents extents) {
  return one(known(call, 0)->elements, std::move(extents), call.input(0).type);
}

std::optional<Results> squeeze(const Call& call) {
  const Known* const x = known(call, 0);
  if (x == nullptr || x->elements.size() != 1) return std::nullopt;
  const auto axes = call.list_or_input("axes", 1);
  const std::size_t dropped = axes ? axes->size() : x->extents.size();
  return reshaped(call, Extents(x->extents.size() - std::min(dropped, x->extents.size()), 1));
}

std::optional<Results> unsqueeze(const Call& call) {
  const Known* const x = known(call, 0);
  const auto axes = call.list_or_input("axes", 1);
  if (x == nullptr || !axes || x->extents.size() > 1) return std::nullopt;
  if (x->elements.size() == 1) return reshaped(call, Extents(x->extents.size() + axes->size(), 1));
  if (axes->size() != 1) return std::nullopt;
  const bool behind = axes->front() == 1 || axes->front() == -1;
  return reshaped(call, behind ? Extents{x->extents[0], 1} : Extents{1, x->extents[0]});
}

std::optional<Results> reshape(const Call& call) {
  const Known* const x = known(call, 0);
  if (x == nullptr || call.opset() < 5) return std::nullopt;
  const std::vector<std::int64_t> shape = call.integers(1);
  const auto count = static_cast<std::int64_t>(x->elements.size());
  if (shape.empty() && count == 1) return reshaped(call, {});
  if (shape.size() == 1 && (shape[0] == -1 || shape[0] == count)) return reshaped(call, {count});
  return std::nullopt;
}

std::optional<Results> same(const Call& call) {
  if (known(call, 0) == nullptr) return std::nullopt;
  return Results{call.input(0)};
}

std::optional<Results> cast(const Call& call) {
  const auto to = static_cast<ElementType>(call.integer("to", 0));
  if (known(call, 0) == nullptr || !(is_integer(to) || is_float(to))) return std::nullopt;
  if (to == ElementType::boolean) return std::nullopt;
  Results results = {call.input(0)};
  results[0].type = to;
  return results;
}

std::optional<Results> constant_of_shape(const Call& call) {
  const Known* const x = known(call, 0);
  const TensorRecord* const tensor = call.tensor("value");
  if (x == nullptr || tensor == nullptr || !is_integer(tensor->type)) return std::nullopt;
  const std::optional<std::vector<std::int64_t>> extents = integers_of(call.input(0));
  if (!extents || extents->size() > 4) return std::nullopt;
  for (const std::int64_t extent : *extents)
    if (extent < 0 || extent > most_elements) return std::nullopt;
  if (element_count(*extents) > most_elements) return std::nullopt;
  const Dim element = value_of(*tensor, "").known->elements.at(0);
  return one(Elements(static_cast<std::size_t>(element_count(*extents)), element), *extents, tensor->type);
}

std::optional<Results> expand(const Call& call) {
  const Known* const x = known(call, 0);
  if (x == nullptr) return std::nullopt;
  const std::optional<std::vector<std::int64_t>> wanted = integers_of(call.input(1));
  if (!wanted || wanted->size() > 8) return std::nullopt;
  const Known target{*wanted, {}};
  for (const std::int64_t extent : *wanted)
    if (extent < 1 || extent > most_elements) return std::nullopt;
  const std::optional<Extents> extents = common({x, &target});
  if (!extents) return std::nullopt;
  Elements elements;
  for (std::size_t i = 0; i < static_cast<std::size_t>(element_count(*extents)); ++i)
    elements.push_back(x->elements[stretched_place(i, *extents, x->extents)]);
  return one(std::move(elements), *extents, call.input(0).type);
}

std::optional<Results> product_of_all(const Call& call) {
  const Known* const x = known(call, 0);
  if (x == nullptr || x->extents.size() != 1) return std::nullopt;
  Answer result = Dim::number(1);
  for (const Dim& element : x->elements)
    if (result) result = product(*result, element);
  if (!result) return std::nullopt;
  return one({*result}, call.integer("keepdims", 1) != 0 ? Extents{1} : Extents{}, call.input(0).type);
}

std::optional<Results> range(const Call& call) {
  for (std::size_t i = 0; i < 3; ++i)
    if (known(call, i) == nullptr || known(call, i)->elements.size() != 1 ||
        !known(call, i)->elements[0].is_number())
      return std::nullopt;
  const std::int64_t start = call.integers(0)[0];
  const std::int64_t stop = call.integers(1)[0];
  const std::int64_t step = call.integers(2)[0];
  const auto is_far = [](std::int64_t i) { return i < -most_elements || i > most_elements; };
  if (step == 0 || is_far(step) || is_far(start) || is_far(stop)) return std::nullopt;
  Elements elements;
  for (std::int64_t i = start; step > 0 ? i < stop : i > stop; i += step) elements.push_back(Dim::number(i));
  const auto count = static_cast<std::int64_t>(elements.size());
  return one(std::move(elements), {count}, call.input(0).type);
}

const std::map<std::string_view, Fold>& folds() {
  static const std::map<std::string_view, Fold> table = {
      {"Shape", shape},
      {"Size", size},
      {"Gather", gather},
      {"Concat", concat},
      {"Slice", slice},
      {"Split", split},
      {"Squeeze", squeeze},
      {"Unsqueeze", unsqueeze},
      {"Reshape", reshape},
      {"Identity", same},
      {"Cast", cast},
      {"ConstantOfShape", constant_of_shape},
      {"Expand", expand},
      {"ReduceProd", product_of_all},
      {"Range", range},
      {"Where", chosen},
      {"Add", combined<sum>},
      {"Sub", combined<difference>},
      {"Mul", combined<product>},
      {"Div", combined<quotient>},
      {"Mod", combined<remainder>},
      {"Max", combined<larger>},
      {"Min", combined<smaller>},
      {"Equal", tested<compared<0, false>>},
      {"Less", tested<compared<-1, false>>},
      {"Greater", tested<compared<1, false>>},
      {"LessOrEqual", tested<compared<1, true>>},
      {"GreaterOrEqual", tested<compared<-1, true>>},
      {"And", tested<joined<true>>},
      {"Or", tested<joined<false>>},
  };
  return table;
}

}  // namespace

std::optional<Results> known_results(const Call& call) {
  const auto found = folds().find(call.op());
  if (found == folds().end()) return std::nullopt;
  const bool looks_at_shape = call.op() == "Shape" || call.op() == "Size";
  if (!looks_at_shape && (call.size() == 0 || !call.inputs()[0].known)) return std::nullopt;
  if (call.op() == "Mod" && call.integer("fmod", 0) != 0) return std::nullopt;
  if (call.op() == "Div" && !is_integer(call.input(0).type)) return std::nullopt;
  try {
    return found->second(call);
  } catch (const std::out_of_range&) {
    return std::nullopt;
  }
}

}  // namespace graphrun::onnx
