// Keys of nodes, of terms of the loss, and of blocks.
#include "language/recipe/keys.hpp"

namespace graphrun {

const Section call_section = {
    "call",
    "a node",
    "in a node",
    {{.name = "op",
      .kind = KeyKind::name,
      .doc = "an op or block",
      .required = true,
      .also = {"type", "layer", "class"}},
     {.name = "in",
      .kind = KeyKind::inputs,
      .doc = "what it is computed from: a node, a formula, or a list of them",
      .also = {"input", "inputs", "from"}},
     {.name = "params",
      .kind = KeyKind::text,
      .doc = "the path of its parameters; nodes with equal paths share them",
      .fallback = "its own path"},
     {.name = "repeat",
      .kind = KeyKind::value,
      .doc = "a list or a count: copies, each computed from the one before; `$item` and `$index` differ",
      .fallback = "one copy"}}};

const Section term_section = {"term",
                              "a term",
                              "in a term of the loss",
                              {{.name = "of", .kind = KeyKind::formula, .doc = "a formula, instead of `op`"},
                               {.name = "weight",
                                .kind = KeyKind::schedule,
                                .doc = "its factor in the loss",
                                .range = finite(),
                                .fallback = "1"},
                               {.name = "reduce",
                                .kind = KeyKind::word,
                                .doc = "how the axes beside the batch are joined",
                                .fallback = "that of the block",
                                .words = {"mean", "sum"},
                                .also = {"reduction"}}}};

const Section block_section = {
    "block",
    "a block",
    "in a block",
    {{.name = "about", .kind = KeyKind::text, .doc = "a line about it"},
     {.name = "args",
      .kind = KeyKind::entries,
      .doc = "its arguments with their defaults, or `required`; read as `$name`",
      .also = {"arguments", "params"}},
     {.name = "ranges",
      .kind = KeyKind::entries,
      .doc = "the numbers that arguments may be, such as `amount: \"[0, 1)\"`; of a schedule, its ends"},
     {.name = "in", .kind = KeyKind::names, .doc = "its inputs", .also = {"inputs", "input"}},
     {.name = "nodes", .kind = KeyKind::entries, .doc = "its graph", .section = "node"},
     {.name = "out",
      .kind = KeyKind::names,
      .doc = "the node that comes out, or a list of several",
      .required = true,
      .short_form = true,
      .also = {"outputs", "output"}},
     {.name = "reduce",
      .kind = KeyKind::word,
      .doc = "for a loss: how a term that calls it joins the axes beside the batch",
      .words = {"mean", "sum"},
      .also = {"reduction"}}}};

}  // namespace graphrun
