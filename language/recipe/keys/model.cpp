// Keys at the top of a model, and of its inputs.
#include "language/recipe/keys.hpp"

namespace graphrun {

const Section model_section = {
    "model",
    "a model",
    "at the top of the file",
    {{.name = "graphrun",
      .kind = KeyKind::word,
      .doc = "the version of the language",
      .required = true,
      .words = {"1"}},
     {.name = "name", .kind = KeyKind::text, .doc = "what reports call the model"},
     {.name = "about", .kind = KeyKind::text, .doc = "a line about it", .also = {"description", "doc"}},
     {.name = "vars",
      .kind = KeyKind::entries,
      .doc = "constants, read as `$name`",
      .also = {"variables", "constants"}},
     {.name = "data",
      .kind = KeyKind::section,
      .doc = "a data set by its name, or files",
      .section = "data",
      .short_form = true,
      .also = {"dataset"}},
     {.name = "inputs",
      .kind = KeyKind::entries,
      .doc = "what examples are given to",
      .section = "input",
      .also = {"input"}},
     {.name = "nodes",
      .kind = KeyKind::entries,
      .doc = "the graph",
      .section = "node",
      .also = {"layers", "model", "graph", "modules"}},
     {.name = "blocks", .kind = KeyKind::entries, .doc = "pieces of graph with a name", .section = "block"},
     {.name = "include",
      .kind = KeyKind::paths,
      .doc = "files whose blocks are brought in",
      .also = {"import"}},
     {.name = "outputs",
      .kind = KeyKind::entries,
      .doc = "what nodes are for",
      .section = "node",
      .also = {"output"}},
     {.name = "loss",
      .kind = KeyKind::entries,
      .doc = "what is minimised",
      .section = "term",
      .also = {"losses", "objective"}},
     {.name = "metrics",
      .kind = KeyKind::entries,
      .doc = "what is measured",
      .section = "metric",
      .also = {"metric"}},
     {.name = "train",
      .kind = KeyKind::section,
      .doc = "how it learns",
      .section = "train",
      .also = {"training"}}}};

const Section included_section = {"included",
                                  "an included file, which brings blocks alone,",
                                  "in the model",
                                  {*model_section.find("graphrun"), *model_section.find("about"),
                                   *model_section.find("include"), *model_section.find("blocks")}};

const Section input_section = {
    "input",
    "an input",
    "in an input",
    {{.name = "shape",
      .kind = KeyKind::shape,
      .doc = "`[batch, 784]`, or any other with as many elements an example; needed unless it is labels",
      .also = {"size", "input_shape", "dims"}},
     {.name = "from",
      .kind = KeyKind::word,
      .doc =
          "which part of an example; labels are i32 `[batch]`; `targets` and `array` are what files beside "
          "the "
          "images hold. Of a table: `cells`, the numbers that a row becomes (its default); `mask`, 1 where "
          "there was a cell; `target`, what is learnt; `column`, a column that is no cell: a number as it is "
          "scaled, a category as i32, its place among the values",
      .fallback = "images",
      .words = {input_sources.begin(), input_sources.end()},
      .also = {"source"}},
     {.name = "name", .kind = KeyKind::text, .doc = "of the column or array", .fallback = "the input's own"},
     {.name = "dtype",
      .kind = KeyKind::word,
      .doc = "`i32` takes whole numbers of images, targets and arrays as they are, as `gather` does",
      .fallback = "f32",
      .words = {"f32", "i32"},
      .also = {"type"}}}};

}  // namespace graphrun
