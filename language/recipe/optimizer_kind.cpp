#include "language/recipe/optimizer_kind.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "graph/range_fault.hpp"

namespace graphrun {
namespace {

/// What is kept from step to step: never all of it.
constexpr Range fraction{.low = 0, .high = 1, .below = true};

constexpr OptimizerSetting eps(double fallback) {
  return {.name = "eps", .fallback = fallback, .doc = "keeps the division finite", .range = above(0)};
}

constexpr OptimizerSetting weight_decay(double fallback, std::string_view doc) {
  return {.name = "weight_decay", .fallback = fallback, .doc = doc};
}

constexpr std::string_view decay_in_gradient = "this much of the weight is added to its gradient";

std::vector<OptimizerSetting> adam_settings(OptimizerSetting decay) {
  return {{.name = "beta1", .fallback = 0.9, .doc = "memory of the gradient's mean", .range = fraction},
          {.name = "beta2", .fallback = 0.999, .doc = "memory of the gradient's square", .range = fraction},
          eps(1e-8),
          decay};
}

std::vector<OptimizerSetting> nadam_settings() {
  std::vector<OptimizerSetting> settings = adam_settings(weight_decay(0, decay_in_gradient));
  settings.push_back({.name = "momentum_decay", .fallback = 4e-3, .doc = "how fast mu grows to beta1"});
  return settings;
}

/// 1 - beta^t; expm1 keeps the digits that a beta near 1 would lose.
double correction(const OptimizerRecipe& recipe, std::string_view beta, double t) {
  return -std::expm1(t * std::log(setting_of(recipe, beta)));
}
double correction1(const OptimizerRecipe& recipe, double t) {
  return correction(recipe, "beta1", t);
}
double correction2(const OptimizerRecipe& recipe, double t) {
  return correction(recipe, "beta2", t);
}

/// The momentum of Nadam in step t, from 1.
double nadam_momentum(const OptimizerRecipe& recipe, double t) {
  return setting_of(recipe, "beta1") * (1 - 0.5 * std::pow(0.96, t * setting_of(recipe, "momentum_decay")));
}

/// 1 - the product of the momenta of steps 1 to t. The product is below beta1^t, and so soon counts for
/// nothing.
double nadam_correction(const OptimizerRecipe& recipe, double t) {
  constexpr double counts_for_nothing = 1e-17;
  if (std::pow(setting_of(recipe, "beta1"), t) < counts_for_nothing) return 1;
  double product = 1;
  for (double i = 1; i <= t && product > counts_for_nothing; ++i) product *= nadam_momentum(recipe, i);
  return 1 - product;
}

double gradient_share(const OptimizerRecipe& recipe, double t) {
  return (1 - nadam_momentum(recipe, t)) / nadam_correction(recipe, t);
}
double mean_share(const OptimizerRecipe& recipe, double t) {
  return nadam_momentum(recipe, t + 1) / nadam_correction(recipe, t + 1);
}

double adagrad_slowed(const OptimizerRecipe& recipe, double t) {
  return 1 + (t - 1) * setting_of(recipe, "lr_decay");
}

std::vector<OptimizerKind> make_kinds() {
  const std::vector<OptimizerSlot> mean_and_square = {{"m"}, {"v"}};
  const std::vector<OptimizerScalar> corrections = {{"correction1", correction1},
                                                    {"correction2", correction2}};
  return {
      {.name = "sgd",
       .doc = "Gradient descent, with momentum if asked for.",
       .formula = "v <- momentum v + g, w <- w - lr v",
       .settings = {{.name = "momentum",
                     .fallback = 0,
                     .doc = "how much of the last step is kept",
                     .range = fraction},
                    {.name = "nesterov", .fallback = 0, .doc = "look ahead along the momentum", .flag = true},
                    weight_decay(0, decay_in_gradient)},
       .with_momentum = "momentum_update"},
      {.name = "adam",
       .doc = "Steps of the gradient's mean over the root of its mean square, bias corrected.",
       .formula = "w <- w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)",
       .settings = adam_settings(weight_decay(0, decay_in_gradient)),
       .slots = mean_and_square,
       .scalars = corrections},
      {.name = "adamw",
       .doc = "Adam whose weight decay is apart from the gradient.",
       .formula = "w <- (1 - lr weight_decay) w, then as adam",
       .settings = adam_settings(weight_decay(1e-2, "this much of the weight, times lr, is taken off")),
       .slots = mean_and_square,
       .scalars = corrections},
      {.name = "nadam",
       .doc = "Adam that looks ahead along its momentum, which grows as the schedule mu says.",
       .formula = "mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2), w <- w - lr "
                  "((1 - mu_t) / (1 - mu_1 ... mu_t) g + mu_t+1 / (1 - mu_1 ... mu_t+1) m) / "
                  "(sqrt(v / (1 - beta2^t)) + eps)",
       .learning_rate = 2e-3,
       .settings = nadam_settings(),
       .slots = mean_and_square,
       .scalars = {{"correction2", correction2},
                   {"gradient_share", gradient_share},
                   {"mean_share", mean_share}}},
      {.name = "rmsprop",
       .doc = "Steps of the gradient over the root of its mean square.",
       .formula = "v <- alpha v + (1 - alpha) g^2, w <- w - lr g / (sqrt(v) + eps)",
       .learning_rate = 1e-2,
       .settings =
           {{.name = "alpha", .fallback = 0.99, .doc = "memory of the gradient's square", .range = fraction},
            eps(1e-8),
            weight_decay(0, decay_in_gradient),
            {.name = "momentum",
             .fallback = 0,
             .doc = "how much of the last step is kept",
             .range = fraction}},
       .slots = {{"v"}},
       .with_momentum = "rmsprop_momentum_update"},
      {.name = "adagrad",
       .doc = "Steps of the gradient over the root of the sum of its squares.",
       .formula = "s <- s + g^2, w <- w - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)",
       .learning_rate = 1e-2,
       .settings = {{.name = "lr_decay", .fallback = 0, .doc = "how fast the learning rate falls"},
                    eps(1e-10),
                    weight_decay(0, decay_in_gradient),
                    {.name = "initial_accumulator", .fallback = 0, .doc = "what the sum starts from"}},
       .slots = {{"sum", "initial_accumulator"}},
       .slowed = adagrad_slowed},
  };
}

template <class Range>
std::string names_of(const Range& range) {
  std::string names;
  for (const auto& item : range) names += fmt::format("{}{}", names.empty() ? "" : ", ", item.name);
  return names;
}

const OptimizerSetting* find_setting(const OptimizerKind& kind, std::string_view name) {
  const auto found = std::find_if(kind.settings.begin(), kind.settings.end(),
                                  [name](const OptimizerSetting& setting) { return setting.name == name; });
  return found == kind.settings.end() ? nullptr : &*found;
}

void check_value(const OptimizerRecipe& recipe, const OptimizerSetting& setting, double value) {
  const std::string fault = !setting.flag              ? range_fault(setting.range, value)
                            : value == 0 || value == 1 ? std::string()
                                                       : fmt::format("true or false, not {}", value);
  if (fault.empty()) return;
  throw Error(ErrorCode::model, fmt::format("{} of {} is {}", setting.name, recipe.op, fault), recipe.where);
}

void check_limit(const OptimizerRecipe& recipe, std::string_view name, std::optional<double> limit) {
  const std::string fault = limit ? range_fault(above(0), *limit) : std::string();
  if (!fault.empty()) throw Error(ErrorCode::model, fmt::format("{} is {}", name, fault), recipe.where);
}

}  // namespace

std::span<const OptimizerKind> optimizer_kinds() {
  static const std::vector<OptimizerKind> kinds = make_kinds();
  return kinds;
}

const OptimizerKind* find_optimizer(std::string_view name) {
  const std::span<const OptimizerKind> kinds = optimizer_kinds();
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [name](const OptimizerKind& kind) { return kind.name == name; });
  return found == kinds.end() ? nullptr : &*found;
}

double setting_of(const OptimizerRecipe& recipe, std::string_view name) {
  const OptimizerKind* const kind = find_optimizer(recipe.op);
  const OptimizerSetting* const setting = kind == nullptr ? nullptr : find_setting(*kind, name);
  if (setting == nullptr) {
    throw Error(ErrorCode::internal, fmt::format("the optimizer '{}' has no setting '{}'", recipe.op, name));
  }
  for (const auto& [written, value] : recipe.settings) {
    if (written == name) return value;
  }
  return setting->fallback;
}

void check_optimizer(const OptimizerRecipe& recipe) {
  const OptimizerKind* const kind = find_optimizer(recipe.op);
  if (kind == nullptr) {
    throw Error(
        ErrorCode::model,
        fmt::format("there is no optimizer '{}'; there are: {}", recipe.op, names_of(optimizer_kinds())),
        recipe.where);
  }
  for (const auto& [name, value] : recipe.settings) {
    const OptimizerSetting* const setting = find_setting(*kind, name);
    if (setting == nullptr) {
      throw Error(ErrorCode::model,
                  fmt::format("{} has no setting '{}'; it has: lr, clip_value, clip_norm, {}", recipe.op,
                              name, names_of(kind->settings)),
                  recipe.where);
    }
    check_value(recipe, *setting, value);
  }
  check_limit(recipe, "clip_value", recipe.clip_value);
  check_limit(recipe, "clip_norm", recipe.clip_norm);
  if (recipe.op == "sgd" && setting_of(recipe, "nesterov") != 0 && setting_of(recipe, "momentum") == 0) {
    throw Error(ErrorCode::model, "nesterov looks ahead along the momentum: give momentum, such as 0.9",
                recipe.where);
  }
}

}  // namespace graphrun
