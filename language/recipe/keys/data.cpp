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
    {{.name = "classes",
      .kind = KeyKind::list,
      .doc = "the names of the labels 0, 1, …, when their sorted order will not do"}},
};

const Section files_section = {"files",
                               "`data.train`",
                               "under `train:` or `test:` of `data:`",
                               {{.name = "images",
                                 .kind = KeyKind::path,
                                 .doc = "a file, or a folder of PNG files",
                                 .required = true,
                                 .also = {"image", "file", "path", "x"}},
                                {.name = "labels",
                                 .kind = KeyKind::section,
                                 .doc = "a file, or a column of a table",
                                 .section = "labels",
                                 .short_form = true,
                                 .also = {"targets", "y"}}}};

const Section labels_section = {
    "labels",
    "`data.train.labels`",
    "under `labels:`",
    {{.name = "file", .kind = KeyKind::path, .doc = "a CSV file", .fallback = "that of `images`"},
     {.name = "column", .kind = KeyKind::text, .doc = "its header, or its number from 0", .required = true}}};

}  // namespace graphrun
