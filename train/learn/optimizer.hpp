/// \file
/// From gradients to updates: clipping, the optimizer's state and its update nodes, and the scalars that the
/// host feeds for each step. Formulas are PyTorch's; see language/recipe/optimizer_kind.hpp for the settings.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun::train {

/// Adds what turns each gradient into an update of its variable:
///   - a check that the loss is finite, which every update waits for;
///   - clip_value: each gradient's elements are held within ±clip_value; then clip_norm: all gradients
///     together are scaled so that their norm is at most clip_norm;
///   - slots, variables named "SLOTS/VARIABLE/SLOT" ("adam/enc.0.w/m"), not trainable, zeros at first; the
///     first part is the optimizer's name unless `slots` says otherwise;
///   - scalar inputs, fed for each step: see optimizer_scalar().
/// `parameters` are variables, `gradients` theirs in the same order. Throws Error{model} for settings that
/// make no sense.
void append_updates(Builder& builder, NodeId loss, std::span<const NodeId> parameters,
                    std::span<const NodeId> gradients, const OptimizerRecipe& recipe,
                    std::string_view slots = {});

/// Is this the name of an input that append_updates() adds?
bool is_optimizer_scalar(std::string_view name);

/// The value of such an input for the step after `progress.step` steps, in f64: the learning rate by its
/// schedule, bias corrections 1 - beta^t with t counted from 1. `updates` are those that the optimizer has
/// done, when they are fewer than the steps. Error{internal} for another name.
double optimizer_scalar(const OptimizerRecipe& recipe, std::string_view name, const Progress& progress,
                        std::optional<std::uint64_t> updates = {});

}  // namespace graphrun::train
