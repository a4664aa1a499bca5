/* Rows of tables in C. */
#include <stdio.h>
#include <string.h>

#include "use.h"

/* What is drawn is 0, so that the score of a row is the mean of its squared cells. */
static const char rows_text[] =
    "graphrun: 1\n"
    "name: rows\n"
    "inputs: {x: {from: cells}, seen: {from: mask}}\n"
    "nodes:\n"
    "  one: {op: param, shape: [1], init: zeros}\n"
    "  row: x * one\n"
    "outputs: {row: row}\n"
    "loss: {r: \"mean(seen * (row - x) ** 2, axis=1)\"}\n"
    "train: {optimizer: {op: sgd, lr: 0}, batch: 2, epochs: 1}\n"
    "data: {missing: mask, columns: {categories: [kind], numbers: {as_is: [temp]}}, train: {table: ";

static graphrun_model* model_of_rows(const char* folder) {
  char path[1000];
  char text[3000];
  graphrun_model* model = NULL;
  FILE* file = NULL;
  sprintf(path, "%.900s/rows.csv", folder);
  file = fopen(path, "w");
  check(file != NULL, "a table is written");
  if (file == NULL) return NULL;
  fputs("temp,kind\n1,a\n3,b\n,\n5,a\n", file);
  fclose(file);
  sprintf(text, "%s%s}}\n", rows_text, path);
  check(graphrun_model_parse(text, "rows.yaml", NULL, 0, &model) == GRAPHRUN_OK, "a model of rows");
  return model;
}

static void score_rows(const graphrun_table_predictor* rows) {
  const char* row[2] = {"2", "a"};
  const char* empty[2] = {NULL, ""};
  const char* wrong[2] = {"2", "z"};
  double score = -1;
  double parts[2] = {-1, -1};
  check(graphrun_table_score(rows, row, 2, &score, parts, 2) == GRAPHRUN_OK, "a row is scored");
  check(score > 1.66 && score < 1.67 && parts[0] > 1.33 && parts[0] < 1.34, "5 by three cells, of which 4 are temp's");
  check(graphrun_table_score(rows, row, 2, &score, NULL, 0) == GRAPHRUN_OK, "without its parts");
  check(graphrun_table_score(rows, empty, 2, &score, parts, 2) == GRAPHRUN_OK && score == 0, "cells that are missing");
  check(graphrun_table_score(rows, row, 2, &score, parts, 1) == GRAPHRUN_USAGE && says("2 parts"), "too little room");
  check(graphrun_table_score(rows, row, 1, &score, NULL, 0) == GRAPHRUN_USAGE && says("2 cells"), "too few cells");
  check(graphrun_table_score(rows, wrong, 2, &score, NULL, 0) == GRAPHRUN_DATA && says("row:1:2"), "a kind that is new");
  check(graphrun_table_score(rows, NULL, 2, &score, NULL, 0) == GRAPHRUN_USAGE && says("cells is NULL"), "no cells");
  check(graphrun_table_score(rows, row, 2, NULL, NULL, 0) == GRAPHRUN_USAGE, "nowhere to put the score");
  check(graphrun_table_threshold(rows, 0.01, &score) == GRAPHRUN_DATA && says("held-out"), "nothing was held out");
  check(graphrun_table_threshold(rows, 2, &score) == GRAPHRUN_USAGE && says("no share"), "a share that is none");
}

static void predict_rows(const graphrun_table_predictor* rows) {
  const char* cells[4] = {"2", "b", NULL, "a"};
  const char* wrong[4] = {"2", "b", "warm", "a"};
  graphrun_table* drawn = NULL;
  check(graphrun_table_predict(rows, cells, 2, &drawn) == GRAPHRUN_OK, "rows are drawn");
  check(drawn->column_count == 2 && drawn->row_count == 2, "as many");
  check(strcmp(drawn->names[0], "temp") == 0 && strcmp(drawn->names[1], "kind") == 0, "by their names");
  check(strcmp(drawn->cells[0], "0") == 0 && strcmp(drawn->cells[3], "a") == 0, "in their units");
  graphrun_table_free(drawn);
  graphrun_table_free(NULL);
  check(graphrun_table_predict(rows, wrong, 2, &drawn) == GRAPHRUN_DATA && drawn == NULL && says("table:3:"), "a text");
  check(graphrun_table_predict(rows, NULL, 2, &drawn) == GRAPHRUN_USAGE, "no rows");
}

void use_tables(const graphrun_model* other, const char* folder) {
  const char* columns[2] = {"temp", "kind"};
  char path[1000];
  const char* json = NULL;
  graphrun_model* model = model_of_rows(folder);
  graphrun_session* session = new_session(model, 1);
  graphrun_table_predictor* rows = NULL;
  graphrun_table_predictor_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  sprintf(path, "%.900s/rows.safetensors", folder);
  check(graphrun_save(session, path) == GRAPHRUN_OK, "weights of rows");
  graphrun_session_free(session);
  check(graphrun_table_predictor_new(model, path, NULL, &rows) == GRAPHRUN_OK, "a predictor of rows");
  check(graphrun_table_predictor_info_json(rows, &json) == GRAPHRUN_OK, "it is described");
  check(strstr(json, "\"scored_columns\": [\"temp\", \"kind\"]") != NULL, "by the columns that have a part");
  score_rows(rows);
  predict_rows(rows);
  graphrun_table_predictor_free(rows);
  graphrun_table_predictor_free(NULL);
  options.columns = columns;
  options.column_count = 1;
  check(graphrun_table_predictor_new(model, path, &options, &rows) == GRAPHRUN_DATA && rows == NULL && says("'kind'"),
        "a column that is absent");
  options.column_count = 2;
  options.provider = 9;
  check(graphrun_table_predictor_new(model, path, &options, &rows) == GRAPHRUN_USAGE && says("provider 9"),
        "no such provider");
  columns[1] = NULL;
  check(graphrun_table_predictor_new(model, path, &options, &rows) == GRAPHRUN_USAGE && says("element 1 of columns"),
        "a name that is NULL");
  check(graphrun_table_predictor_new(model, "/no/such", NULL, &rows) == GRAPHRUN_IO, "weights that are not there");
  graphrun_model_free(model);
  sprintf(path, "%.900s/c.safetensors", folder);
  check(graphrun_table_predictor_new(other, path, NULL, &rows) == GRAPHRUN_USAGE && says("from a table"),
        "a model that has learnt from no table");
}
