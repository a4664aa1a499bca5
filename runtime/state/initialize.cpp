#include "runtime/state/initialize.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "graph/initializers.hpp"
#include "graphrun/error.hpp"
#include "runtime/state/philox.hpp"

namespace graphrun::runtime {
namespace {

struct Context {
  const Extents& extents;
  RandomStream stream;
  std::span<float> values;
};

using FillRows = void (*)(const RandomStream&, std::uint64_t, std::size_t, std::span<float>);

/// scale · draw + shift; rows are those of axis 0, and one axis is one row.
void fill_rows(const Context& context, FillRows draw, double scale, double shift) {
  const bool one_row = context.extents.size() < 2 || context.values.empty();
  const std::size_t rows = one_row ? 1 : static_cast<std::size_t>(context.extents[0]);
  draw(context.stream, 0, context.values.size() / rows, context.values);
  for (float& value : context.values) value = value * static_cast<float>(scale) + static_cast<float>(shift);
}

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// Modified Gram–Schmidt over vectors of `length`, each made orthogonal to those before it.
void orthonormalise(std::span<double> vectors, std::size_t length) {
  for (std::size_t begin = 0; begin < vectors.size(); begin += length) {
    const std::span<double> vector = vectors.subspan(begin, length);
    const double size = std::sqrt(dot(vector, vector));
    for (double& value : vector) value /= size;
    for (std::size_t later = begin + length; later < vectors.size(); later += length) {
      const std::span<double> other = vectors.subspan(later, length);
      const double along = dot(vector, other);
      for (std::size_t i = 0; i < length; ++i) other[i] -= along * vector[i];
    }
  }
}

void orthogonal(const Context& context, double gain) {
  if (context.values.empty()) return;
  const auto columns = static_cast<std::size_t>(context.extents.back());
  const std::size_t rows = context.values.size() / columns;
  const std::size_t count = std::min(rows, columns);
  const std::size_t length = std::max(rows, columns);
  std::vector<double> vectors(count * length);
  fill_normal(context.stream, 0, length, std::span(vectors));
  orthonormalise(vectors, length);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const std::size_t at = rows < columns ? row * length + column : column * length + row;
      context.values[row * columns + column] = static_cast<float>(gain * vectors[at]);
    }
  }
}

const InitializerKind& kind_of(const Initializer& initializer, std::string_view variable) {
  const InitializerKind* const kind = find_initializer(initializer.name);
  if (kind == nullptr) {
    std::string names;
    for (const InitializerKind& known : initializer_kinds())
      names += fmt::format("{}{}", names.empty() ? "" : ", ", known.name);
    throw Error(ErrorCode::model,
                fmt::format("there is no initializer '{}'; there are {}", initializer.name, names), {},
                std::string(variable));
  }
  for (const auto& [key, value] : initializer.arguments) {
    if (std::ranges::find(kind->arguments, key, &InitializerArgument::name) == kind->arguments.end()) {
      throw Error(ErrorCode::model,
                  fmt::format("the initializer {} has no argument '{}'", initializer.name, key), {},
                  std::string(variable));
    }
  }
  return *kind;
}

void fill(const Context& context, const Spread& spread) {
  switch (spread.kind) {
    case Spread::Kind::constant:
      std::ranges::fill(context.values, static_cast<float>(spread.first));
      return;
    case Spread::Kind::uniform:
      return fill_rows(context, fill_uniform, spread.second - spread.first, spread.first);
    case Spread::Kind::normal:
      return fill_rows(context, fill_normal, spread.second, spread.first);
    case Spread::Kind::orthogonal:
      return orthogonal(context, spread.first);
  }
}

}  // namespace

void initialize(const Initializer& initializer, std::string_view name, const Extents& extents,
                std::uint64_t seed, std::span<float> values) {
  const RandomState state{seed, static_cast<std::uint32_t>(RandomDomain::initialisation), 0, 0};
  const Spread spread = kind_of(initializer, name).spread(initializer, extents, name);
  fill({extents, RandomStream::of(name, state), values}, spread);
}

}  // namespace graphrun::runtime
