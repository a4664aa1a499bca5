// Keys of `data:`.
#include "language/recipe/keys.hpp"

namespace graphrun {

const Rows<DataRecipe> data_rows = {
    {{.name = "train",
      .kind = KeyKind::section,
      .doc = "the files to learn from",
      .required = true,
      .section = "files",
      .also = {"training"}}},
    {{.name = "test",
      .kind = KeyKind::section,
      .doc = "the files to measure on",
      .section = "files",
      .also = {"validation", "val", "valid"}}},
    {{.name = "shape",
      .kind = KeyKind::list,
      .doc =
          "`[28, 28]` or `[32, 32, 3]`: what an example is as a picture. Rows whose length is the square of "
          "8 or "
          "more are taken for pictures without it; other rows are numbers that nobody wants to see drawn"}},
    {{.name = "channels",
      .kind = KeyKind::integer,
      .doc = "`1` turns PNG files of colour grey, `3` the other way round",
      .range = {.low = 1, .high = 3}},
     &DataRecipe::channels},
    {{.name = "divide_by",
      .kind = KeyKind::number,
      .doc = "values are divided by it: `255` for pixels that a table or array holds as numbers",
      .range = above(0),
      .also = {"scale", "rescale"}},
     &DataRecipe::divide_by},
    {{.name = "names",
      .kind = KeyKind::list,
      .doc = "of CSV files as `images`: the names of their columns in the order in which the model takes "
             "them; a "
             "run has those of its training file"}},
    {{.name = "columns",
      .kind = KeyKind::section,
      .doc =
          "of tables: what their columns are to the model, by name; what is not said is guessed and printed",
      .section = "columns"}},
    {{.name = "missing",
      .kind = KeyKind::word,
      .doc = "of tables: cells that are missing are an error; or 0, of which `from: mask` tells; or what the "
             "column has in the middle (of a category: its most frequent value)",
      .fallback = "refuse",
      .words = {"refuse", "mask", "mean", "median"},
      .also = {"impute", "na"}}},
    {{.name = "split",
      .kind = KeyKind::section,
      .doc = "of tables: rows of `train` that are kept for measuring",
      .section = "split"}},
    {{.name = "windows",
      .kind = KeyKind::section,
      .doc =
          "of tables: rows are points of series, and an example is a window of them, `[batch, size, cells]`",
      .section = "windows"}},
    {{.name = "fitted",
      .kind = KeyKind::sections,
      .doc = "of tables: written by graphrun, what it found in the rows to learn from",
      .section = "fitted"}},
    {{.name = "classes",
      .kind = KeyKind::list,
      .doc = "the names of the labels 0, 1, …, when their sorted order will not do"}},
};

const Section files_section = {
    "files",
    "`data.train`",
    "under `train:` or `test:` of `data:`",
    {{.name = "images",
      .kind = KeyKind::path,
      .doc = "a file, or a folder of PNG files",
      .also = {"image", "file", "path", "x"}},
     {.name = "labels",
      .kind = KeyKind::section,
      .doc = "a file, or a column of a table",
      .section = "labels",
      .short_form = true,
      .also = {"targets", "y"}},
     {.name = "table",
      .kind = KeyKind::path,
      .doc = "instead of `images`: a CSV file whose columns have names, and kinds of their own",
      .also = {"csv"},
      .instead_of = "images"},
     {.name = "label",
      .kind = KeyKind::text,
      .doc = "the column of the table that the model never sees: what is odd, or of which "
             "class; `from: labels`"}}};

const Section labels_section = {
    "labels",
    "`data.train.labels`",
    "under `labels:`",
    {{.name = "file", .kind = KeyKind::path, .doc = "a CSV file", .fallback = "that of `images`"},
     {.name = "column", .kind = KeyKind::text, .doc = "its header, or its number from 0", .required = true}}};

}  // namespace graphrun
