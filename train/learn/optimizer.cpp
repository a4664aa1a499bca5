#include "train/learn/optimizer.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "graph/op.hpp"
#include "graph/term.hpp"
#include "language/recipe/optimizer_kind.hpp"

namespace graphrun::train {
namespace {

/// Inputs that the host feeds are called "optimizer/learning_rate", …
constexpr std::string_view family = "optimizer/";
constexpr std::string_view learning_rate = "learning_rate";

/// The scalar that an input of this name is; empty when it is none. Allocates nothing: it is asked in each
/// step.
std::string_view scalar_of(std::string_view input) {
  return input.starts_with(family) ? input.substr(family.size()) : std::string_view();
}

const OptimizerKind& kind_of(const OptimizerRecipe& recipe) {
  return *find_optimizer(recipe.op);  // check_optimizer() found it
}

/// A slot of the update op, as the checkpoint calls it, and what it starts from.
struct Slot {
  std::string_view name;
  double start = 0;
};

/// How an optimizer is made of an update op.
struct UpdateRule {
  std::string op;
  std::vector<Slot> slots;
  std::vector<std::string_view> scalars;
  Attributes attributes;
};

/// The settings that the op takes.
Attributes attributes_of(const OpDef& op, const OptimizerRecipe& recipe) {
  Attributes attributes;
  for (const AttributeDeclaration& attribute : op.attributes) {
    const double value = setting_of(recipe, attribute.name);
    if (attribute.kind == AttributeKind::flag)
      attributes.set(attribute.name, value != 0);
    else
      attributes.set(attribute.name, value);
  }
  return attributes;
}

UpdateRule rule_of(const OptimizerRecipe& recipe, const OpRegistry& registry) {
  const OptimizerKind& kind = kind_of(recipe);
  UpdateRule rule{.op = recipe.op + "_update", .slots = {}, .scalars = {learning_rate}, .attributes = {}};
  for (const OptimizerSlot& slot : kind.slots)
    rule.slots.push_back({slot.name, slot.start.empty() ? 0 : setting_of(recipe, slot.start)});
  for (const OptimizerScalar& scalar : kind.scalars) rule.scalars.push_back(scalar.name);
  if (!kind.with_momentum.empty() && setting_of(recipe, "momentum") != 0) {
    rule.op = kind.with_momentum;
    rule.slots.push_back({"velocity"});
  }
  rule.attributes = attributes_of(registry.get(rule.op), recipe);
  return rule;
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

std::vector<NodeId> clipped(Builder& builder, std::span<const NodeId> gradients,
                            const OptimizerRecipe& recipe) {
  std::vector<NodeId> result(gradients.begin(), gradients.end());
  if (recipe.clip_value) clip_values(builder, result, *recipe.clip_value);
  if (recipe.clip_norm && !result.empty()) clip_norm(builder, result, *recipe.clip_norm);
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
                    std::span<const NodeId> gradients, const OptimizerRecipe& recipe,
                    std::string_view slots) {
  check_optimizer(recipe);
  const UpdateRule rule = rule_of(recipe, builder.registry());
  builder.set_origin({});
  const NodeId finite = builder.add("check_finite", {loss}, {}, {.name = "optimizer/loss_is_finite"});
  std::vector<NodeId> scalars;
  for (const std::string_view scalar : rule.scalars)
    scalars.push_back(
        builder.add("input", {}, {{"shape", Shape{}}}, {.name = fmt::format("{}{}", family, scalar)}));
  const std::vector<NodeId> slopes = clipped(builder, gradients, recipe);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Node& variable = builder.node(parameters[i]);
    builder.set_origin(variable.origin);
    std::vector<NodeId> inputs = {parameters[i]};
    for (const Slot& slot : rule.slots)
      inputs.push_back(add_slot(builder, slot, variable, slots.empty() ? recipe.op : slots));
    inputs.push_back(slopes[i]);
    inputs.insert(inputs.end(), scalars.begin(), scalars.end());
    builder.add(rule.op, std::move(inputs), rule.attributes,
                {.name = fmt::format("{}/{}", rule.op, variable.name), .controls = {finite}});
  }
  builder.set_origin({});
}

bool is_optimizer_scalar(std::string_view name) {
  const std::string_view scalar = scalar_of(name);
  if (scalar == learning_rate) return true;
  for (const OptimizerKind& kind : optimizer_kinds())
    for (const OptimizerScalar& known : kind.scalars)
      if (scalar == known.name) return true;
  return false;
}

double optimizer_scalar(const OptimizerRecipe& recipe, std::string_view name, const Progress& progress,
                        std::optional<std::uint64_t> updates) {
  const OptimizerKind& kind = kind_of(recipe);
  const std::string_view scalar = scalar_of(name);
  const auto t = static_cast<double>(updates.value_or(progress.step) + 1);
  if (scalar == learning_rate) {
    const double rate = value_at(recipe.learning_rate, progress);
    return kind.slowed == nullptr ? rate : rate / kind.slowed(recipe, t);
  }
  for (const OptimizerScalar& known : kind.scalars)
    if (scalar == known.name) return known.value(recipe, t);
  throw Error(ErrorCode::internal, fmt::format("no optimizer is fed '{}'", name));
}

}  // namespace graphrun::train
