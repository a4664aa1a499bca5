// Keys of tables: what their columns are, and which rows are kept for measuring.
#include <array>

#include "language/recipe/keys.hpp"

namespace graphrun {

namespace {

std::vector<Key> keys_of_numbers() {
  constexpr std::array<std::string_view, 6> docs = {"given as they are",
                                                    "less their mean, by their standard deviation",
                                                    "less their median, by the distance of their quartiles",
                                                    "from 0 to 1",
                                                    "their rank among the values to learn from, from 0 to 1",
                                                    "sign(v)·log(1 + |v|), then as `standardise`"};
  std::vector<Key> keys;
  for (std::size_t i = 0; i < docs.size(); ++i)
    keys.push_back({.name = column_scales[i], .kind = KeyKind::names, .doc = docs[i]});
  return keys;
}

}  // namespace

const Section numbers_section = {"numbers", "`numbers`", "under `numbers:`", keys_of_numbers()};

const Section columns_section = {
    "columns",
    "`columns`",
    "under `columns:`",
    {{.name = "numbers",
      .kind = KeyKind::section,
      .doc = "how numbers are scaled",
      .section = "numbers",
      .also = {"numeric", "number"}},
     {.name = "categories",
      .kind = KeyKind::names,
      .doc = "each value in the training rows becomes a cell, 0 or 1",
      .also = {"category", "categorical"}},
     {.name = "target",
      .kind = KeyKind::names,
      .doc = "what is predicted, a number or a category, or a list of columns: `from: target`; it is no cell",
      .short_form = true},
     {.name = "weight",
      .kind = KeyKind::text,
      .doc = "numbers from 0: how much a row counts in losses, metrics and thresholds, relative to the mean",
      .also = {"sample_weight", "weights"}},
     {.name = "ignore",
      .kind = KeyKind::names,
      .doc = "columns that the model does not see",
      .also = {"drop", "skip"}}}};

const Section split_section = {
    "split",
    "`split`",
    "under `split:`",
    {{.name = "validation",
      .kind = KeyKind::number,
      .doc = "the share of rows that is held out: measured after each epoch, for `stop` and the threshold of "
             "scores",
      .range = {.low = 0, .high = 1, .below = true},
      .fallback = "none",
      .also = {"val", "valid"}},
     {.name = "test",
      .kind = KeyKind::number,
      .doc = "the share of rows that takes the place of `data.test`",
      .range = {.low = 0, .high = 1, .below = true},
      .fallback = "none"},
     {.name = "by",
      .kind = KeyKind::word,
      .doc = "rows at random, the same in every run; the last ones; or whole groups",
      .fallback = "random",
      .words = {"random", "time", "group"}},
     {.name = "column",
      .kind = KeyKind::text,
      .doc = "the column of the group; or of the time, if the rows are not in its order"}}};

const Section windows_section = {
    "windows",
    "`windows`",
    "under `windows:`",
    {{.name = "size",
      .kind = KeyKind::integer,
      .doc = "rows in a window",
      .range = counted,
      .required = true},
     {.name = "stride",
      .kind = KeyKind::integer,
      .doc = "rows from one window to the next in training; scores look at every window",
      .range = counted,
      .fallback = "1"},
     {.name = "ahead",
      .kind = KeyKind::integer,
      .doc = "the target of a window is that of the row so many rows after it, and its past is among the "
             "cells: `1` is the next value",
      .range = counted,
      .fallback = "the target of its last row, which is no cell"},
     {.name = "by",
      .kind = KeyKind::text,
      .doc = "the column that says which series a row is of: no window holds rows of two",
      .fallback = "all rows are one series"},
     {.name = "time",
      .kind = KeyKind::text,
      .doc = "the column that rows are put in order by, numbers or dates that begin with the year; no window "
             "reaches over a gap, a step of more than one and a half times the usual one",
      .fallback = "rows are in order, without gaps"}}};

const Section fitted_section = {
    "fitted",
    "`fitted`",
    "in an entry of `fitted:`",
    {{.name = "column", .kind = KeyKind::text, .doc = "its name", .required = true},
     {.name = "is",
      .kind = KeyKind::word,
      .doc = "what it is, if no cell",
      .words = {"target", "seen_target", "input", "weight", "ignored"}},
     {.name = "values", .kind = KeyKind::list, .doc = "of a category"},
     {.name = "scale", .kind = KeyKind::text, .doc = "of a number: a key of `numbers:`"},
     {.name = "centre", .kind = KeyKind::number, .doc = "of a number", .range = finite(), .fallback = "0"},
     {.name = "spread", .kind = KeyKind::number, .doc = "of a number", .range = above(0), .fallback = "1"},
     {.name = "landmarks", .kind = KeyKind::list, .doc = "values at equal distances of rank"},
     {.name = "fill", .kind = KeyKind::number, .doc = "what stands for a missing cell", .range = finite()}}};

}  // namespace graphrun
