#include "runtime/state/initialize.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "graphrun/error.hpp"
#include "runtime/state/philox.hpp"

namespace graphrun::runtime {
namespace {

struct Fans {
  double in = 1;
  double out = 1;
};

Fans fans_of(const Extents& extents) {
  if (extents.empty()) return {};
  if (extents.size() == 1) return {static_cast<double>(extents[0]), static_cast<double>(extents[0])};
  double field = 1;
  for (std::size_t axis = 0; axis + 2 < extents.size(); ++axis) field *= static_cast<double>(extents[axis]);
  return {field * static_cast<double>(extents[extents.size() - 2]),
          field * static_cast<double>(extents.back())};
}

struct Context {
  const Initializer& initializer;
  std::string_view name;
  const Extents& extents;
  RandomStream stream;
  std::span<float> values;

  std::optional<double> find(std::string_view argument) const {
    for (const auto& [key, value] : initializer.arguments) {
      if (key == argument) return value;
    }
    return std::nullopt;
  }
  double argument(std::string_view key, double fallback) const { return find(key).value_or(fallback); }
};

using FillRow = void (*)(const RandomStream&, std::uint64_t, std::span<float>);

/// scale · draw + shift, a row of axis 0 at a time; one axis is one row.
void fill_rows(const Context& context, FillRow draw, double scale, double shift) {
  const bool one_row = context.extents.size() < 2 || context.values.empty();
  const std::size_t rows = one_row ? 1 : static_cast<std::size_t>(context.extents[0]);
  const std::size_t columns = context.values.size() / rows;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::span<float> values = context.values.subspan(row * columns, columns);
    draw(context.stream, row, values);
    for (float& value : values) value = value * static_cast<float>(scale) + static_cast<float>(shift);
  }
}

void uniform(const Context& context, double low, double high) {
  fill_rows(context, fill_uniform, high - low, low);
}

void normal(const Context& context, double mean, double deviation) {
  fill_rows(context, fill_normal, deviation, mean);
}

void uniform_of_variance(const Context& context, double variance) {
  const double bound = std::sqrt(3 * variance);
  uniform(context, -bound, bound);
}

void normal_of_variance(const Context& context, double variance) {
  normal(context, 0, std::sqrt(variance));
}

double glorot(const Context& context) {
  const Fans fans = fans_of(context.extents);
  return 2 / (fans.in + fans.out);
}
double he(const Context& context) {
  return 2 / fans_of(context.extents).in;
}
double lecun(const Context& context) {
  return 1 / fans_of(context.extents).in;
}

void torch_linear(const Context& context) {
  const std::optional<double> given = context.find("fan_in");
  if (!given && context.extents.size() < 2) {
    throw Error(ErrorCode::model,
                fmt::format("the initializer torch_linear needs fan_in for {}, which has fewer than two axes",
                            to_string(context.extents)),
                {}, std::string(context.name));
  }
  const double bound = 1 / std::sqrt(std::max(1.0, given.value_or(fans_of(context.extents).in)));
  uniform(context, -bound, bound);
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

void orthogonal(const Context& context) {
  if (context.extents.size() < 2) {
    throw Error(ErrorCode::model,
                fmt::format("the initializer orthogonal needs two axes, this has the shape {}",
                            to_string(context.extents)),
                {}, std::string(context.name));
  }
  if (context.values.empty()) return;
  const auto columns = static_cast<std::size_t>(context.extents.back());
  const std::size_t rows = context.values.size() / columns;
  const std::size_t count = std::min(rows, columns);
  const std::size_t length = std::max(rows, columns);
  std::vector<double> vectors(count * length);
  for (std::size_t i = 0; i < count; ++i) {
    fill_normal(context.stream, i, std::span(vectors).subspan(i * length, length));
  }
  orthonormalise(vectors, length);
  const double gain = context.argument("gain", 1);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const std::size_t at = rows < columns ? row * length + column : column * length + row;
      context.values[row * columns + column] = static_cast<float>(gain * vectors[at]);
    }
  }
}

struct Rule {
  std::string_view name;
  std::array<std::string_view, 2> arguments;
  void (*fill)(const Context&);
};

constexpr std::array rules = {
    Rule{"zeros", {}, [](const Context& c) { std::ranges::fill(c.values, 0.0F); }},
    Rule{"ones", {}, [](const Context& c) { std::ranges::fill(c.values, 1.0F); }},
    Rule{"constant",
         {"value"},
         [](const Context& c) { std::ranges::fill(c.values, static_cast<float>(c.argument("value", 0))); }},
    Rule{"uniform",
         {"low", "high"},
         [](const Context& c) { uniform(c, c.argument("low", -0.05), c.argument("high", 0.05)); }},
    Rule{"normal",
         {"mean", "std"},
         [](const Context& c) { normal(c, c.argument("mean", 0), c.argument("std", 0.01)); }},
    Rule{"glorot_uniform", {}, [](const Context& c) { uniform_of_variance(c, glorot(c)); }},
    Rule{"glorot_normal", {}, [](const Context& c) { normal_of_variance(c, glorot(c)); }},
    Rule{"he_uniform", {}, [](const Context& c) { uniform_of_variance(c, he(c)); }},
    Rule{"he_normal", {}, [](const Context& c) { normal_of_variance(c, he(c)); }},
    Rule{"lecun_uniform", {}, [](const Context& c) { uniform_of_variance(c, lecun(c)); }},
    Rule{"lecun_normal", {}, [](const Context& c) { normal_of_variance(c, lecun(c)); }},
    Rule{"torch_linear", {"fan_in"}, torch_linear},
    Rule{"orthogonal", {"gain"}, orthogonal},
};

const Rule& rule_of(const Initializer& initializer, std::string_view variable) {
  const auto found = std::ranges::find(rules, initializer.name, &Rule::name);
  if (found == rules.end()) {
    std::string names;
    for (const Rule& rule : rules) names += fmt::format("{}{}", names.empty() ? "" : ", ", rule.name);
    throw Error(ErrorCode::model,
                fmt::format("there is no initializer '{}'; there are {}", initializer.name, names), {},
                std::string(variable));
  }
  for (const auto& [key, value] : initializer.arguments) {
    if (std::ranges::find(found->arguments, std::string_view(key)) == found->arguments.end()) {
      throw Error(ErrorCode::model,
                  fmt::format("the initializer {} has no argument '{}'", initializer.name, key), {},
                  std::string(variable));
    }
  }
  return *found;
}

}  // namespace

void initialize(const Initializer& initializer, std::string_view name, const Extents& extents,
                std::uint64_t seed, std::span<float> values) {
  const RandomState state{seed, static_cast<std::uint32_t>(RandomDomain::initialisation), 0, 0};
  rule_of(initializer, name).fill({initializer, name, extents, RandomStream::of(name, state), values});
}

}  // namespace graphrun::runtime
