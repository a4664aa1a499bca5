#include "train/learn/optimizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "graph/op.hpp"
#include "graph/term.hpp"
#include "language/recipe/optimizer_kind.hpp"

namespace graphrun::train {
namespace {

constexpr std::string_view learning_rate = "optimizer/learning_rate";
constexpr std::string_view correction1 = "optimizer/correction1";
constexpr std::string_view correction2 = "optimizer/correction2";
constexpr std::string_view gradient_share = "optimizer/gradient_share";
constexpr std::string_view mean_share = "optimizer/mean_share";

/// A slot of the update op, as the checkpoint calls it, and what it starts from.
struct Slot {
  std::string_view name;
  double start = 0;
};

/// How an optimizer is made of an update op.
struct UpdateRule {
  std::string op;
  std::vector<Slot> slots;
  std::vector<std::string_view> scalars = {learning_rate};
  Attributes attributes;
};

UpdateRule adam_rule(const OptimizerSpec& spec) {
  return {.op = spec.op + "_update",
          .slots = {{"m"}, {"v"}},
          .scalars = {learning_rate, correction1, correction2},
          .attributes = {{"beta1", setting_of(spec, "beta1")},
                         {"beta2", setting_of(spec, "beta2")},
                         {"eps", setting_of(spec, "eps")},
                         {"weight_decay", setting_of(spec, "weight_decay")}}};
}

UpdateRule nadam_rule(const OptimizerSpec& spec) {
  UpdateRule rule = adam_rule(spec);
  rule.scalars = {learning_rate, correction2, gradient_share, mean_share};
  return rule;
}

/// The momentum of Nadam in step t, from 1.
double nadam_momentum(const OptimizerSpec& spec, double t) {
  return setting_of(spec, "beta1") * (1 - 0.5 * std::pow(0.96, t * setting_of(spec, "momentum_decay")));
}

/// 1 - the product of the momenta of steps 1 to t. The product is below beta1^t, and so soon counts for
/// nothing.
double nadam_correction(const OptimizerSpec& spec, double t) {
  constexpr double counts_for_nothing = 1e-17;
  if (std::pow(setting_of(spec, "beta1"), t) < counts_for_nothing) return 1;
  double product = 1;
  for (double i = 1; i <= t && product > counts_for_nothing; ++i) product *= nadam_momentum(spec, i);
  return 1 - product;
}

UpdateRule sgd_rule(const OptimizerSpec& spec) {
  const double momentum = setting_of(spec, "momentum");
  const double decay = setting_of(spec, "weight_decay");
  if (momentum == 0) return {.op = "sgd_update", .slots = {}, .attributes = {{"weight_decay", decay}}};
  return {
      .op = "momentum_update",
      .slots = {{"velocity"}},
      .attributes = {
          {"momentum", momentum}, {"nesterov", setting_of(spec, "nesterov") != 0}, {"weight_decay", decay}}};
}

UpdateRule rmsprop_rule(const OptimizerSpec& spec) {
  UpdateRule rule{.op = "rmsprop_update",
                  .slots = {{"v"}},
                  .attributes = {{"alpha", setting_of(spec, "alpha")},
                                 {"eps", setting_of(spec, "eps")},
                                 {"weight_decay", setting_of(spec, "weight_decay")}}};
  const double momentum = setting_of(spec, "momentum");
  if (momentum == 0) return rule;
  rule.op = "rmsprop_momentum_update";
  rule.slots.push_back({"velocity"});
  rule.attributes.set("momentum", momentum);
  return rule;
}

UpdateRule adagrad_rule(const OptimizerSpec& spec) {
  return {
      .op = "adagrad_update",
      .slots = {{"sum", setting_of(spec, "initial_accumulator")}},
      .attributes = {{"eps", setting_of(spec, "eps")}, {"weight_decay", setting_of(spec, "weight_decay")}}};
}

UpdateRule rule_of(const OptimizerSpec& spec) {
  if (spec.op == "sgd") return sgd_rule(spec);
  if (spec.op == "nadam") return nadam_rule(spec);
  if (spec.op == "rmsprop") return rmsprop_rule(spec);
  if (spec.op == "adagrad") return adagrad_rule(spec);
  return adam_rule(spec);
}

void clip_values(Builder& builder, std::vector<NodeId>& gradients, double limit) {
  for (NodeId& gradient : gradients) {
    gradient = builder.add("clip", {gradient}, {{"low", -limit}, {"high", limit}});
  }
}

/// Scales all gradients by min(1, limit / (norm + 1e-6)).
void clip_norm(Builder& builder, std::vector<NodeId>& gradients, double limit) {
  std::optional<Term> squares;
  for (const NodeId gradient : gradients) {
    const Term square = call("sum", {call("square", {Term(builder, gradient)})});
    squares = squares ? *squares + square : square;
  }
  const Term norm = call("sqrt", {*squares}, {}, {.name = "optimizer/gradient_norm"});
  const Term scale = call("minimum", {limit / (norm + 1e-6), constant_like(norm, 1)});
  for (NodeId& gradient : gradients) gradient = Term(builder, gradient) * scale;
}

std::vector<NodeId> clipped(Builder& builder, std::span<const NodeId> gradients, const OptimizerSpec& spec) {
  std::vector<NodeId> result(gradients.begin(), gradients.end());
  if (spec.clip_value) clip_values(builder, result, *spec.clip_value);
  if (spec.clip_norm && !result.empty()) clip_norm(builder, result, *spec.clip_norm);
  return result;
}

NodeId add_slot(Builder& builder, const Slot& slot, const Node& variable, std::string_view optimizer) {
  const Initializer start =
      slot.start == 0 ? Initializer{"zeros", {}} : Initializer{"constant", {{"value", slot.start}}};
  return builder.add("param", {}, {{"shape", variable.type.shape}, {"init", start}, {"trainable", false}},
                     {.name = fmt::format("{}/{}/{}", optimizer, variable.name, slot.name)});
}

}  // namespace

void append_updates(Builder& builder, NodeId loss, std::span<const NodeId> parameters,
                    std::span<const NodeId> gradients, const OptimizerSpec& spec, std::string_view slots) {
  check_optimizer(spec);
  const UpdateRule rule = rule_of(spec);
  builder.set_origin({});
  const NodeId finite = builder.add("check_finite", {loss}, {}, {.name = "optimizer/loss_is_finite"});
  std::vector<NodeId> scalars;
  for (const std::string_view scalar : rule.scalars) {
    scalars.push_back(builder.add("input", {}, {{"shape", Shape{}}}, {.name = std::string(scalar)}));
  }
  const std::vector<NodeId> slopes = clipped(builder, gradients, spec);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Node& variable = builder.node(parameters[i]);
    builder.set_origin(variable.origin);
    std::vector<NodeId> inputs = {parameters[i]};
    for (const Slot& slot : rule.slots)
      inputs.push_back(add_slot(builder, slot, variable, slots.empty() ? spec.op : slots));
    inputs.push_back(slopes[i]);
    inputs.insert(inputs.end(), scalars.begin(), scalars.end());
    builder.add(rule.op, std::move(inputs), rule.attributes,
                {.name = fmt::format("{}/{}", rule.op, variable.name), .controls = {finite}});
  }
  builder.set_origin({});
}

bool is_optimizer_scalar(std::string_view name) {
  constexpr std::array names = {learning_rate, correction1, correction2, gradient_share, mean_share};
  return std::find(names.begin(), names.end(), name) != names.end();
}

double optimizer_scalar(const OptimizerSpec& spec, std::string_view name, const Progress& progress,
                        std::optional<std::uint64_t> updates) {
  const auto t = static_cast<double>(updates.value_or(progress.step) + 1);
  if (name == learning_rate) {
    const double rate = value_at(spec.learning_rate, progress);
    return spec.op == "adagrad" ? rate / (1 + (t - 1) * setting_of(spec, "lr_decay")) : rate;
  }
  // expm1 keeps the digits of 1 - beta^t that a beta near 1 would lose.
  if (name == correction1) return -std::expm1(t * std::log(setting_of(spec, "beta1")));
  if (name == correction2) return -std::expm1(t * std::log(setting_of(spec, "beta2")));
  if (name == gradient_share) return (1 - nadam_momentum(spec, t)) / nadam_correction(spec, t);
  if (name == mean_share) return nadam_momentum(spec, t + 1) / nadam_correction(spec, t + 1);
  throw Error(ErrorCode::internal, fmt::format("no optimizer is fed '{}'", name));
}

}  // namespace graphrun::train
