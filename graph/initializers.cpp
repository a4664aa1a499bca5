#include "graph/initializers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "graphrun/error.hpp"

namespace graphrun {
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

std::optional<double> written(const Initializer& initializer, std::string_view argument) {
  for (const auto& [key, value] : initializer.arguments) {
    if (key == argument) return value;
  }
  return std::nullopt;
}

/// What was written for an argument, or its default.
double argument(const Initializer& initializer, std::string_view name) {
  if (const std::optional<double> value = written(initializer, name)) return *value;
  for (const InitializerArgument& known : find_initializer(initializer.name)->arguments)
    if (known.name == name) return known.fallback.value_or(0);
  return 0;
}

[[noreturn]] void unsuited(const Initializer& initializer, std::string_view needs, const Extents& extents,
                           std::string_view variable) {
  throw Error(ErrorCode::model,
              fmt::format("the initializer {} needs {}, this has the shape {}", initializer.name, needs,
                          to_string(extents)),
              {}, std::string(variable));
}

Spread uniform_of_variance(double variance) {
  const double bound = std::sqrt(3 * variance);
  return {Spread::Kind::uniform, -bound, bound};
}

Spread normal_of_variance(double variance) {
  return {Spread::Kind::normal, 0, std::sqrt(variance)};
}

Spread torch_linear(const Initializer& initializer, const Extents& extents, std::string_view variable) {
  const std::optional<double> given = written(initializer, "fan_in");
  if (!given && extents.size() < 2) unsuited(initializer, "fan_in, or two axes", extents, variable);
  const double bound = 1 / std::sqrt(std::max(1.0, given.value_or(fans_of(extents).in)));
  return {Spread::Kind::uniform, -bound, bound};
}

Spread orthogonal(const Initializer& initializer, const Extents& extents, std::string_view variable) {
  if (extents.size() < 2) unsuited(initializer, "two axes", extents, variable);
  return {Spread::Kind::orthogonal, argument(initializer, "gain")};
}

double glorot(const Extents& extents) {
  const Fans fans = fans_of(extents);
  return 2 / (fans.in + fans.out);
}
double he(const Extents& extents) {
  return 2 / fans_of(extents).in;
}
double lecun(const Extents& extents) {
  return 1 / fans_of(extents).in;
}

using I = const Initializer&;
using E = const Extents&;
using V = std::string_view;

std::vector<InitializerKind> make_kinds() {
  using Kind = Spread::Kind;
  return {
      {"zeros",
       "0",
       {},
       [](I, E, V) {
         return Spread{Kind::constant, 0};
       }},
      {"ones",
       "1",
       {},
       [](I, E, V) {
         return Spread{Kind::constant, 1};
       }},
      {"constant",
       "`value`",
       {{"value", 0}},
       [](I i, E, V) {
         return Spread{Kind::constant, argument(i, "value")};
       }},
      {"uniform",
       "uniform from `low` to `high`",
       {{"low", -0.05}, {"high", 0.05}},
       [](I i, E, V) {
         return Spread{Kind::uniform, argument(i, "low"), argument(i, "high")};
       }},
      {"normal",
       "normal, of `mean` and `std`",
       {{"mean", 0}, {"std", 0.01}},
       [](I i, E, V) {
         return Spread{Kind::normal, argument(i, "mean"), argument(i, "std")};
       }},
      {"glorot_uniform",
       "uniform, of variance 2 / (fan_in + fan_out) (X. Glorot, Y. Bengio, 2010)",
       {},
       [](I, E e, V) { return uniform_of_variance(glorot(e)); }},
      {"glorot_normal",
       "normal, of variance 2 / (fan_in + fan_out)",
       {},
       [](I, E e, V) { return normal_of_variance(glorot(e)); }},
      {"he_uniform",
       "uniform, of variance 2 / fan_in (K. He et al., 2015)",
       {},
       [](I, E e, V) { return uniform_of_variance(he(e)); }},
      {"he_normal",
       "normal, of variance 2 / fan_in",
       {},
       [](I, E e, V) { return normal_of_variance(he(e)); }},
      {"lecun_uniform",
       "uniform, of variance 1 / fan_in (Y. LeCun et al., 1998)",
       {},
       [](I, E e, V) { return uniform_of_variance(lecun(e)); }},
      {"lecun_normal",
       "normal, of variance 1 / fan_in",
       {},
       [](I, E e, V) { return normal_of_variance(lecun(e)); }},
      {"torch_linear",
       "uniform within 1 / sqrt(`fan_in`), as PyTorch's linear layers start",
       {{"fan_in", {}}},
       torch_linear},
      {"orthogonal", "orthonormal rows or columns (the fewer) times `gain`", {{"gain", 1}}, orthogonal},
  };
}

}  // namespace

std::span<const InitializerKind> initializer_kinds() {
  static const std::vector<InitializerKind> kinds = make_kinds();
  return kinds;
}

const InitializerKind* find_initializer(std::string_view name) {
  const std::span<const InitializerKind> kinds = initializer_kinds();
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [name](const InitializerKind& kind) { return kind.name == name; });
  return found == kinds.end() ? nullptr : &*found;
}

}  // namespace graphrun
