/* A whole program in C: use FOLDER, where it writes what it saves. */
#include "use.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char model_text[] =
    "graphrun: 1\n"
    "name: small\n"
    "vars: {units: 2}\n"
    "inputs: {x: {shape: [batch, 4]}}\n"
    "nodes:\n"
    "  code: {op: dense, in: x, units: $units, act: tanh}\n"
    "  recon: {op: dense, in: code, units: 4}\n"
    "outputs: {code: code, image: recon}\n"
    "loss: {reconstruction: {op: mse, in: [recon, x]}}\n"
    "train: {optimizer: {op: adam, lr: 0.05}, batch: 8, epochs: 3, seed: 1}\n";

#define ROWS 32
static float values[ROWS * 4];
static int faults = 0;

void check(int holds, const char* what) {
  if (holds) return;
  printf("does not hold: %s (%s)\n", what, graphrun_last_error());
  ++faults;
}

int says(const char* part) {
  return strstr(graphrun_last_error(), part) != NULL;
}

struct seen {
  int before; /* epochs of earlier calls */
  int epochs;
  int stop_after;
  double loss;
};

static int on_epoch(void* context, int64_t epoch, uint64_t steps, double seconds, const graphrun_figures* figures) {
  struct seen* seen = (struct seen*)context;
  check(epoch == seen->before + seen->epochs + 1, "epochs are counted from 1");
  check(steps > 0 && seconds >= 0, "an epoch has steps and takes time");
  check(figures->count == 2 && strcmp(figures->names[0], "loss") == 0, "the first figure is the loss");
  seen->loss = figures->values[0];
  ++seen->epochs;
  return seen->epochs == seen->stop_after;
}

graphrun_session* new_session(const graphrun_model* model, uint64_t seed) {
  graphrun_session_options options;
  graphrun_session* session = NULL;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.threads = 1;
  options.executor = GRAPHRUN_EXECUTOR_SERIAL;
  options.has_seed = 1;
  options.seed = seed;
  check(graphrun_session_new(model, &options, &session) == GRAPHRUN_OK, "a session is made");
  return session;
}

static void models(graphrun_model** model) {
  const char* setting = "units=3";
  const char* json = NULL;
  graphrun_model* other = NULL;
  check(graphrun_model_parse(model_text, "small.yaml", NULL, 0, model) == GRAPHRUN_OK, "a model is parsed");
  check(graphrun_model_info_json(*model, &json) == GRAPHRUN_OK, "a model is described");
  check(strstr(json, "\"shape\": [null, 4]") != NULL, "null is the batch");
  check(strstr(json, "\"name\": \"code.w\"") != NULL, "parameters have names");
  check(graphrun_model_parse(model_text, "small.yaml", &setting, 1, &other) == GRAPHRUN_OK, "settings are taken");
  check(graphrun_model_info_json(other, &json) == GRAPHRUN_OK && strstr(json, "[null, 3]") != NULL, "units=3");
  graphrun_model_free(other);
  graphrun_model_free(NULL);
}

static void wrong_models(void) {
  graphrun_model* model = (graphrun_model*)1;
  const char* setting = NULL;
  check(graphrun_model_load("/no/such.yaml", NULL, 0, &model) == GRAPHRUN_IO, "a file that is not there");
  check(model == NULL && says("/no/such.yaml"), "its name is told");
  check(graphrun_model_parse("graphrun: 1\nname: m\nnodes: {y: {op: relux, in: x}}\n", "m.yaml", NULL, 0, &model) ==
            GRAPHRUN_MODEL,
        "a model with a mistake");
  check(strstr(graphrun_last_error_json(), "\"line\": 3") != NULL, "its line is told");
  check(strstr(graphrun_last_error_json(), "\"code\": \"model\"") != NULL, "its code is told");
  check(graphrun_model_parse(NULL, "m.yaml", NULL, 0, &model) == GRAPHRUN_USAGE && says("text is NULL"), "no text");
  check(graphrun_model_parse(model_text, "m.yaml", &setting, 1, &model) == GRAPHRUN_USAGE, "a setting that is NULL");
  check(graphrun_model_parse(model_text, "m.yaml", NULL, 0, NULL) == GRAPHRUN_USAGE, "nowhere to put the model");
}

static void learn(graphrun_session* session) {
  graphrun_input input = {"x", GRAPHRUN_F32, values, ROWS * 4};
  graphrun_fit_options options = {sizeof options, 0, 0, NULL, NULL};
  graphrun_figures* figures = NULL;
  struct seen seen = {0, 0, 0, 0};
  double first = 0;
  uint64_t steps = 0;
  check(graphrun_evaluate(session, &input, 1, &figures) == GRAPHRUN_OK, "it is measured");
  first = figures->values[0];
  graphrun_figures_free(figures);
  options.on_epoch = on_epoch;
  options.context = &seen;
  check(graphrun_fit(session, &input, 1, &options) == GRAPHRUN_OK, "it learns");
  check(seen.epochs == 3 && seen.loss < first, "three epochs, and better");
  check(graphrun_steps(session, &steps) == GRAPHRUN_OK && steps == 12, "twelve steps");
  check(graphrun_train_step(session, &input, 1, &figures) == GRAPHRUN_OK, "a step");
  check(figures != NULL && figures->count == 2, "its figures");
  graphrun_figures_free(figures);
  check(graphrun_train_step(session, &input, 1, NULL) == GRAPHRUN_OK, "a step without figures");
  seen.before = 3;
  seen.epochs = 0;
  seen.stop_after = 2;
  options.epochs = 10;
  check(graphrun_fit(session, &input, 1, &options) == GRAPHRUN_CANCELLED && seen.epochs == 2, "it is stopped");
  check(graphrun_fit(session, NULL, 1, NULL) == GRAPHRUN_USAGE, "inputs that are NULL");
  input.type = 7;
  check(graphrun_fit(session, &input, 1, NULL) == GRAPHRUN_USAGE && says("type 7"), "a type that is none");
  options.size = 0;
  check(graphrun_fit(session, &input, 0, &options) == GRAPHRUN_USAGE && says("size"), "options without a size");
}

/* A source of made rows, some at a time. */
struct made {
  int left;
  int asked;
  int epochs;
  int stop;
};

static int restart(void* context, uint64_t seed) {
  struct made* made = (struct made*)context;
  check(seed != 0, "each epoch has a seed");
  made->left = ROWS;
  ++made->epochs;
  return made->stop && made->epochs == 2;
}

static int64_t next(void* context, void* const* buffers, int64_t rows) {
  struct made* made = (struct made*)context;
  int count = made->left < 3 ? made->left : 3;
  if (count > rows) count = (int)rows;
  memcpy(buffers[0], values + (ROWS - made->left) * 4, sizeof(float) * 4 * (size_t)count);
  made->left -= count;
  ++made->asked;
  return count;
}

static void learn_from_source(graphrun_session* session) {
  graphrun_source_input input = {"x", GRAPHRUN_F32};
  graphrun_fit_options options = {sizeof options, 2, 0, NULL, NULL};
  struct made made = {0, 0, 0, 0};
  graphrun_source source;
  memset(&source, 0, sizeof source);
  source.size = sizeof source;
  source.inputs = &input;
  source.input_count = 1;
  source.context = &made;
  source.restart = restart;
  check(graphrun_fit_source(session, &source, &options) == GRAPHRUN_USAGE && says("next"), "a source without next");
  source.next = next;
  check(graphrun_fit_source(session, &source, &options) == GRAPHRUN_OK && made.epochs == 2, "two epochs of a source");
  check(made.asked >= 2 * ROWS / 3, "in pieces");
  made.epochs = 0;
  made.stop = 1;
  check(graphrun_fit_source(session, &source, &options) == GRAPHRUN_CANCELLED, "a source stops");
  input.type = 9;
  check(graphrun_fit_source(session, &source, NULL) == GRAPHRUN_USAGE && says("type 9"), "a type that is none");
  check(graphrun_fit_source(session, NULL, NULL) == GRAPHRUN_USAGE, "no source");
}

/* The weights of a file, by its path and by its bytes. */
static void predict_from_file(const graphrun_model* model, const graphrun_session* session, const char* folder) {
  static char bytes[100000];
  char path[1000];
  float bias[4] = {0, 0, 0, 0};
  float first[4];
  float second[4];
  graphrun_input input = {"x", GRAPHRUN_F32, NULL, 4};
  graphrun_output output = {"image", GRAPHRUN_F32, NULL, 4};
  const char* const image_name[1] = {"image"};
  graphrun_predictor_options options = {sizeof options, NULL, 1, NULL, 0, 0, 0, 0, GRAPHRUN_PROVIDER_TILES, 0};
  graphrun_weights weights = {sizeof weights, NULL, NULL, 0, NULL};
  graphrun_predictor* predictor = NULL;
  FILE* file = NULL;
  input.values = bias;
  output.values = first;
  options.outputs = image_name;
  sprintf(path, "%.900s/c.safetensors", folder);
  weights.path = path;
  check(graphrun_predictor_new(model, &weights, &options, &predictor) == GRAPHRUN_OK, "weights of a file");
  check(graphrun_predict(predictor, &input, 1, &output, 1) == GRAPHRUN_OK, "are used");
  file = fopen(path, "rb");
  if (file == NULL) return;
  weights.path = NULL;
  weights.bytes = bytes;
  weights.byte_count = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  output.values = second;
  check(graphrun_predictor_swap_weights(predictor, &weights) == GRAPHRUN_OK, "weights of its bytes");
  check(graphrun_predict(predictor, &input, 1, &output, 1) == GRAPHRUN_OK, "are used, too");
  check(memcmp(first, second, sizeof first) == 0, "and are the same");
  weights.session = session;
  check(graphrun_predictor_swap_weights(predictor, &weights) == GRAPHRUN_USAGE, "not two at once");
  graphrun_predictor_free(predictor);
}

static void on_log(void* context, const char* line) {
  if (strstr(line, "parameters are taken from") != NULL) ++*(int*)context;
}

/* Weights that the model names, products of bf16, and a log. */
static void options(const char* folder) {
  char text[3000];
  graphrun_model* model = NULL;
  graphrun_session* session = NULL;
  graphrun_session_options options;
  int lines = 0;
  sprintf(text, "%sweights: %.900s/c.safetensors\n", model_text, folder);
  check(graphrun_model_parse(text, "begun.yaml", NULL, 0, &model) == GRAPHRUN_OK, "a model that names weights");
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.provider = GRAPHRUN_PROVIDER_TILES;
  options.precision = GRAPHRUN_PRECISION_BF16_EMULATED;
  options.on_log = on_log;
  options.log_context = &lines;
  check(graphrun_session_new(model, &options, &session) == GRAPHRUN_OK && lines == 1, "they are taken and told");
  predict_from_file(model, session, folder);
  graphrun_session_free(session);
  options.precision = 4;
  check(graphrun_session_new(model, &options, &session) == GRAPHRUN_USAGE && says("precision 4"), "no such precision");
  options.precision = 0;
  options.provider = -1;
  check(graphrun_session_new(model, &options, &session) == GRAPHRUN_USAGE && says("provider -1"), "no such provider");
  options.size = offsetof(graphrun_session_options, provider);
  options.executor = 0;
  check(graphrun_session_new(model, &options, &session) == GRAPHRUN_OK, "options of an older header");
  graphrun_session_free(session);
  graphrun_model_free(model);
}

static void run(graphrun_session* session) {
  graphrun_input input = {"x", GRAPHRUN_F32, values, ROWS * 4};
  graphrun_tensor* code = NULL;
  graphrun_tensor* image = NULL;
  check(graphrun_run(session, "code", &input, 1, &code) == GRAPHRUN_OK, "codes");
  check(code->rank == 2 && code->shape[0] == ROWS && code->shape[1] == 2 && code->count == ROWS * 2, "their shape");
  input.name = "code";
  input.values = code->values;
  input.count = code->count;
  check(graphrun_run(session, "image", &input, 1, &image) == GRAPHRUN_OK && image->count == ROWS * 4, "images of codes");
  graphrun_tensor_free(image);
  graphrun_tensor_free(code);
  graphrun_tensor_free(NULL);
  check(graphrun_run(session, "cod", &input, 1, &code) == GRAPHRUN_USAGE && code == NULL && says("'code'"), "a typing error");
}

/* Any thread may call a predictor, also while its weights are replaced. */
struct caller {
  const graphrun_predictor* predictor;
  const float* expected;
  int wrong;
};

static void* call_often(void* context) {
  struct caller* caller = (struct caller*)context;
  graphrun_input input = {"x", GRAPHRUN_F32, values, ROWS * 4};
  float codes[ROWS * 2];
  graphrun_output output = {"code", GRAPHRUN_F32, NULL, ROWS * 2};
  int i = 0;
  output.values = codes;
  for (i = 0; i < 200; ++i)
    if (graphrun_predict(caller->predictor, &input, 1, &output, 1) != GRAPHRUN_OK ||
        memcmp(codes, caller->expected, sizeof codes) != 0)
      ++caller->wrong;
  return NULL;
}

static void predict_in_threads(graphrun_predictor* predictor, const graphrun_weights* weights, const float* expected) {
  pthread_t threads[4];
  struct caller callers[4];
  int i = 0;
  for (i = 0; i < 4; ++i) {
    callers[i].predictor = predictor;
    callers[i].expected = expected;
    callers[i].wrong = 0;
    check(pthread_create(&threads[i], NULL, call_often, &callers[i]) == 0, "a thread is made");
  }
  for (i = 0; i < 20; ++i)
    check(graphrun_predictor_swap_weights(predictor, weights) == GRAPHRUN_OK, "weights are replaced meanwhile");
  for (i = 0; i < 4; ++i) {
    pthread_join(threads[i], NULL);
    check(callers[i].wrong == 0, "every thread has the values of one");
  }
}

static void predict(const graphrun_model* model, graphrun_session* session) {
  graphrun_input input = {"x", GRAPHRUN_F32, values, ROWS * 4};
  graphrun_weights weights = {sizeof weights, NULL, NULL, 0, NULL};
  graphrun_predictor_options options = {sizeof options, NULL, 0, NULL, 0, ROWS, 4, 0, 0, 0};
  const char* const code_name[1] = {"code"};
  graphrun_predictor* predictor = NULL;
  graphrun_tensor* codes = NULL;
  const char* json = NULL;
  check(graphrun_run(session, "code", &input, 1, &codes) == GRAPHRUN_OK, "codes of a session");
  check(graphrun_predictor_new(model, &weights, NULL, &predictor) == GRAPHRUN_USAGE && says("none of these"), "no weights");
  weights.session = session;
  weights.path = "code";
  check(graphrun_predictor_new(model, &weights, NULL, &predictor) == GRAPHRUN_USAGE && says("several"), "two weights");
  weights.path = NULL;
  options.outputs = code_name;
  options.output_count = 1;
  check(graphrun_predictor_new(model, &weights, &options, &predictor) == GRAPHRUN_OK, "a predictor is made");
  check(graphrun_predictor_info_json(predictor, &json) == GRAPHRUN_OK && strstr(json, "[null, 2]") != NULL, "described");
  predict_in_threads(predictor, &weights, codes->values);
  graphrun_predictor_free(predictor);
  graphrun_predictor_free(NULL);
  graphrun_tensor_free(codes);
}

/* Two outputs of different types, of an input that is given as bytes, in any order. */
static void predict_types(void) {
  static const char text[] =
      "graphrun: 1\nname: typed\ninputs: {x: {shape: [batch, 4]}}\n"
      "nodes: {twice: x * 2, best: {op: argmax, in: x, axis: 1}}\noutputs: {twice: twice, best: best}\n";
  const char* const names[2] = {"best", "twice"};
  const unsigned char bytes[8] = {0, 255, 51, 0, 255, 0, 0, 51};
  float twice[8];
  int32_t best[2];
  graphrun_input inputs[2] = {{"x", GRAPHRUN_U8, NULL, 8}, {"x", GRAPHRUN_U8, NULL, 8}};
  graphrun_output outputs[2] = {{"twice", GRAPHRUN_F32, NULL, 8}, {"best", GRAPHRUN_I32, NULL, 2}};
  graphrun_predictor_options options = {sizeof options, NULL, 2, NULL, 0, 0, 0, 0, 0, 0};
  graphrun_weights weights = {sizeof weights, NULL, NULL, 0, NULL};
  graphrun_model* model = NULL;
  graphrun_session* session = NULL;
  graphrun_predictor* predictor = NULL;
  inputs[0].values = inputs[1].values = bytes;
  outputs[0].values = twice;
  outputs[1].values = best;
  options.outputs = names;
  check(graphrun_model_parse(text, "typed.yaml", NULL, 0, &model) == GRAPHRUN_OK, "a model without weights");
  check(graphrun_session_new(model, NULL, &session) == GRAPHRUN_OK, "its session");
  weights.session = session;
  check(graphrun_predictor_new(model, &weights, &options, &predictor) == GRAPHRUN_OK, "its predictor");
  check(graphrun_predict(predictor, inputs, 1, outputs, 2) == GRAPHRUN_OK, "two outputs");
  check(best[0] == 1 && best[1] == 0 && twice[1] == 2 && twice[2] == 0.4F, "in their types");
  check(graphrun_predict(predictor, inputs, 1, outputs, 1) == GRAPHRUN_USAGE && says("'best'"), "an output is missing");
  check(graphrun_predict(predictor, inputs, 0, outputs, 2) == GRAPHRUN_USAGE && says("'x'"), "an input is missing");
  check(graphrun_predict(predictor, inputs, 2, outputs, 2) == GRAPHRUN_USAGE && says("given twice"), "and twice");
  inputs[0].name = "X";
  check(graphrun_predict(predictor, inputs, 1, outputs, 2) == GRAPHRUN_USAGE && says("mean 'x'"), "a typing error");
  inputs[0].name = "x";
  outputs[1].type = GRAPHRUN_F32;
  check(graphrun_predict(predictor, inputs, 1, outputs, 2) == GRAPHRUN_USAGE && says("int32"), "another type");
  outputs[1].type = GRAPHRUN_U8;
  check(graphrun_predict(predictor, inputs, 1, outputs, 2) == GRAPHRUN_USAGE && says("f32 or i32"), "a type that is none");
  outputs[1].type = GRAPHRUN_I32;
  outputs[1].count = 3;
  check(graphrun_predict(predictor, inputs, 1, outputs, 2) == GRAPHRUN_USAGE && says("room is given for 3"), "its room");
  outputs[1].values = NULL;
  check(graphrun_predict(predictor, inputs, 1, outputs, 2) == GRAPHRUN_USAGE && says("NULL"), "no room");
  weights.session = NULL;
  weights.bytes = bytes;
  weights.byte_count = sizeof bytes;
  check(graphrun_predictor_swap_weights(predictor, &weights) == GRAPHRUN_DATA, "bytes that are no file");
  graphrun_predictor_free(predictor);
  graphrun_session_free(session);
  graphrun_model_free(model);
}

static void keep(graphrun_model* model, graphrun_session* session, const char* folder) {
  char path[1000];
  char digest[65];
  char again[65];
  float bias[4] = {1, 2, 3, 4};
  graphrun_tensor* tensor = NULL;
  graphrun_session* other = new_session(model, 9);
  check(graphrun_parameter_set(session, "recon.b", bias, 4) == GRAPHRUN_OK, "a parameter is set");
  check(graphrun_parameter_get(session, "recon.b", &tensor) == GRAPHRUN_OK && tensor->values[3] == 4, "and read");
  graphrun_tensor_free(tensor);
  check(graphrun_parameter_set(session, "recon.b", bias, 3) == GRAPHRUN_USAGE, "too few values");
  sprintf(path, "%.900s/c.safetensors", folder);
  check(graphrun_save(session, path) == GRAPHRUN_OK && graphrun_load(other, path) == GRAPHRUN_OK, "saved and loaded");
  check(graphrun_digest(session, digest) == GRAPHRUN_OK && graphrun_digest(other, again) == GRAPHRUN_OK, "digests");
  check(strlen(digest) == 64 && strcmp(digest, again) == 0, "that are equal");
  check(graphrun_save(session, "/no/such/folder") == GRAPHRUN_IO, "a folder that is not there");
  sprintf(path, "%.900s/c.onnx", folder);
  check(graphrun_export_onnx(session, path, "encoder") == GRAPHRUN_OK, "as ONNX");
  check(graphrun_export_onnx(session, path, "cod") == GRAPHRUN_USAGE, "of a part that is not there");
  graphrun_session_free(other);
  graphrun_session_free(NULL);
}

int main(int count, char** words) {
  graphrun_model* model = NULL;
  graphrun_session* session = NULL;
  int i = 0;
  if (count != 2) return 2;
  for (i = 0; i < ROWS * 4; ++i) values[i] = (float)(i * 37 % 19) / 19.0F - 0.5F;
  check(strcmp(graphrun_version(), "0.1.0") >= 0, "it has a version");
  models(&model);
  wrong_models();
  check(graphrun_session_new(NULL, NULL, &session) == GRAPHRUN_USAGE && session == NULL, "a session of nothing");
  session = new_session(model, 1);
  learn(session);
  learn_from_source(session);
  run(session);
  predict(model, session);
  predict_types();
  keep(model, session, words[1]);
  options(words[1]);
  use_tables(model, words[1]);
  graphrun_model_free(model); /* the session stays */
  run(session);
  graphrun_session_free(session);
  return faults == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
