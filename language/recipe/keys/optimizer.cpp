// Keys of `optimizer:`, which all optimizers have; the settings of each are in optimizer_kind.cpp.
#include <fmt/format.h>

#include "language/recipe/keys.hpp"

namespace graphrun {

const Rows<OptimizerRecipe> optimizer_rows = {
    {{.name = "op",
      .kind = KeyKind::name,
      .doc = "which optimizer",
      .required = true,
      .also = {"name", "type"}}},
    {{.name = "lr",
      .kind = KeyKind::schedule,
      .doc = "learning rate",
      .range = at_least(0),
      .also = {"learning_rate", "learningrate", "rate", "step_size", "eta"}},
     &OptimizerRecipe::learning_rate},
    {{.name = "clip_value",
      .kind = KeyKind::number,
      .doc = "each element of a gradient is at most this large",
      .range = above(0),
      .fallback = "none",
      .also = {"clipvalue", "clip"}},
     &OptimizerRecipe::clip_value},
    {{.name = "clip_norm",
      .kind = KeyKind::number,
      .doc = "all gradients together have at most this norm",
      .range = above(0),
      .fallback = "none",
      .also = {"clipnorm", "max_grad_norm", "global_clipnorm", "max_norm"}},
     &OptimizerRecipe::clip_norm},
};

Key key_of(const OptimizerSetting& setting) {
  return {.name = setting.name,
          .kind = setting.flag ? KeyKind::flag : KeyKind::number,
          .doc = setting.doc,
          .range = setting.range,
          .fallback =
              setting.flag ? setting.fallback != 0 ? "true" : "false" : fmt::format("{}", setting.fallback)};
}

}  // namespace graphrun
