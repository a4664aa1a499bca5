// Keys of `train:`, which phases inherit, and of what stands in it alone.
#include "language/recipe/keys.hpp"

namespace graphrun {

const Rows<PhaseRecipe> learning_rows = {
    {{.name = "optimizer",
      .kind = KeyKind::section,
      .doc = "how the parameters follow their gradients; [all of them](ops.md#optimizers)",
      .fallback = "adam",
      .section = "optimizer",
      .short_form = true,
      .also = {"optim", "optimiser", "solver"}}},
    {{.name = "batch",
      .kind = KeyKind::integer,
      .doc = "examples a step",
      .range = counted,
      .also = {"batch_size", "batchsize", "minibatch", "bs"}},
     &PhaseRecipe::batch},
    {{.name = "epochs",
      .kind = KeyKind::integer,
      .doc = "how often all examples are seen",
      .range = counted,
      .also = {"epoch", "num_epochs", "n_epochs", "nb_epoch", "max_epochs"}},
     &PhaseRecipe::epochs},
    {{.name = "steps",
      .kind = KeyKind::integer,
      .doc = "how many batches are seen, instead of `epochs`",
      .range = counted,
      .also = {"iterations", "num_steps", "max_steps", "max_iter"}},
     &PhaseRecipe::steps},
    {{.name = "partial",
      .kind = KeyKind::word,
      .doc = "the last, smaller batch of an epoch",
      .words = {"keep", "drop"},
      .also = {"drop_last", "drop_remainder"}},
     &PhaseRecipe::keep_partial},
    {{.name = "train",
      .kind = KeyKind::names,
      .doc = "the nodes or paths whose parameters are learnt, with all below them; nothing else moves, "
             "running averages included",
      .fallback = "all",
      .also = {"trainable", "parameters"}}},
    {{.name = "loss", .kind = KeyKind::names, .doc = "the terms that are minimised", .fallback = "all"}},
    {{.name = "alternate",
      .kind = KeyKind::sections,
      .doc = "steps that are done with each batch, in order, instead of `train` and `loss`",
      .section = "step"}},
    {{.name = "greedy",
      .kind = KeyKind::section,
      .doc = "trains layer by layer, instead of `train` and `loss`",
      .section = "greedy"}},
    {{.name = "subset",
      .kind = KeyKind::section,
      .doc = "which training examples",
      .fallback = "all",
      .section = "subset"}},
    {{.name = "stop",
      .kind = KeyKind::section,
      .doc = "ends early, and keeps the best weights",
      .section = "stop",
      .also = {"early_stopping", "earlystopping", "callbacks"}}},
};

const Rows<TrainRecipe> train_rows = {
    {{.name = "seed",
      .kind = KeyKind::integer,
      .doc = "of the weights, the order and the noise",
      .range = at_least(0),
      .also = {"random_seed", "random_state", "manual_seed"}},
     &TrainRecipe::seed},
    {{.name = "pictures",
      .kind = KeyKind::section,
      .doc = "how often a picture is drawn into `images/` while the model learns: reconstructions, or "
             "samples of "
             "a model that makes images from chance alone",
      .section = "pictures"}},
    {{.name = "phases",
      .kind = KeyKind::sections,
      .doc = "parts, done one after the other",
      .section = "phase"}},
};

const Rows<TrainRecipe> pictures_rows = {
    {{.name = "every",
      .kind = KeyKind::integer,
      .doc = "epochs from one picture to the next; `0`: only where a phase ends",
      .range = at_least(0),
      .fallback = "after epochs 1, 2, 5, 10, 20, 50, …"},
     &TrainRecipe::pictures_every},
};

}  // namespace graphrun
