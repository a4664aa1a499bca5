/** \file
 * graphrun for C, and for languages that call C: models, sessions, predictors, rows of tables, weights.
 *
 *     graphrun_model* model = NULL;
 *     graphrun_session* session = NULL;
 *     if (graphrun_model_load("model.yaml", NULL, 0, &model) != GRAPHRUN_OK ||
 *         graphrun_session_new(model, NULL, &session) != GRAPHRUN_OK)
 *       fprintf(stderr, "%s\n", graphrun_last_error());
 *
 * Every function that can fail returns a code; graphrun_last_error() has the words, for the thread that
 * called. A call that fails has changed nothing but where graphrun/session.hpp says so, and sets what it
 * would have given to NULL. Nothing is printed and nothing exits. NULL in the place of a handle, a name or a
 * result is GRAPHRUN_USAGE. A model and a predictor may be used from any number of threads at once, a session
 * from one at a time. Texts are UTF-8 and end with a zero. What a function gives is freed by the function that is named, which takes NULL
 * too.
 *
 * Options begin with their size, so that they can grow: `graphrun_fit_options options = {sizeof options};`
 * and all that is zero means the default; NULL in their place, too.
 */
#ifndef GRAPHRUN_GRAPHRUN_H
#define GRAPHRUN_GRAPHRUN_H

#include <stddef.h>
#include <stdint.h>

#define GRAPHRUN_C_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Failures ---- */

enum {
  GRAPHRUN_OK = 0,
  GRAPHRUN_USAGE = 1,      /**< a call that makes no sense */
  GRAPHRUN_MODEL = 2,      /**< a model file that is wrong */
  GRAPHRUN_DATA = 3,       /**< weights, a file or a row of a table that are wrong */
  GRAPHRUN_NOT_FINITE = 4, /**< a NaN or an infinity appeared */
  GRAPHRUN_IO = 5,         /**< the operating system refused */
  GRAPHRUN_MEMORY = 6,     /**< not enough memory */
  GRAPHRUN_CANCELLED = 7,  /**< a callback asked to stop */
  GRAPHRUN_INTERNAL = 8    /**< a bug in graphrun */
};

/** What the last call of this thread that failed has to say; stays until the next one fails. Never NULL. */
GRAPHRUN_C_API const char* graphrun_last_error(void);
/** The same as JSON: "code", "message", "node", "file", "line", "column", and "diagnostics" with all mistakes
 * of a model file, each with "message", "fix", "node", "op", "file", "line", "column". */
GRAPHRUN_C_API const char* graphrun_last_error_json(void);

/** "MAJOR.MINOR.PATCH" of the library. */
GRAPHRUN_C_API const char* graphrun_version(void);

/* ---- Models ---- */

typedef struct graphrun_model graphrun_model;

/** Reads a model file. `settings` are as after --set on the command line: "units=10", "train.epochs=5". */
GRAPHRUN_C_API int graphrun_model_load(const char* path, const char* const* settings, size_t setting_count,
                                       graphrun_model** model);
/** The same of a text, which includes nothing; `name` stands for the file in errors. */
GRAPHRUN_C_API int graphrun_model_parse(const char* text, const char* name, const char* const* settings,
                                        size_t setting_count, graphrun_model** model);
GRAPHRUN_C_API void graphrun_model_free(graphrun_model* model);
/** "name", "about", "inputs", "outputs" and "parameters" (each with "name", "type" and "shape", in which null
 * is the batch), "loss", "metrics", and "resolved": the model as YAML that stands alone. Lives as long as the
 * model. */
GRAPHRUN_C_API int graphrun_model_info_json(const graphrun_model* model, const char** json);

/* ---- Sessions ---- */

typedef struct graphrun_session graphrun_session;

enum { GRAPHRUN_EXECUTOR_TBB = 0, GRAPHRUN_EXECUTOR_THREADS = 1, GRAPHRUN_EXECUTOR_SERIAL = 2 };

enum { GRAPHRUN_PROVIDER_AUTO = 0, GRAPHRUN_PROVIDER_ONEDNN = 1, GRAPHRUN_PROVIDER_TILES = 2 };
/** What products read; 0: as the model says. Bf16 by instructions of the CPU, GRAPHRUN_USAGE where it has none. */
enum { GRAPHRUN_PRECISION_F32 = 1, GRAPHRUN_PRECISION_BF16 = 2, GRAPHRUN_PRECISION_BF16_EMULATED = 3 };

/** Hears what a person may want to know and no call returns, a line each, which lives as long as the call; on
 * the thread that is in a call of the session, which it must not use. */
typedef void (*graphrun_on_log)(void* context, const char* line);

typedef struct graphrun_session_options {
  size_t size;             /**< sizeof(graphrun_session_options) */
  int threads;             /**< 0: as many as the process may use */
  int executor;            /**< who runs the tasks of a step */
  int has_seed;            /**< is `seed` said? */
  uint64_t seed;           /**< instead of the model's */
  size_t max_bytes;        /**< of the workspace; 0: no limit */
  int64_t steps_per_epoch; /**< of graphrun_train_step, for schedules in epochs; 0: not known */
  int provider;            /**< who runs products */
  int precision;           /**< of products; 0: as the model says */
  graphrun_on_log on_log;  /**< may be NULL */
  void* log_context;
} graphrun_session_options;

/** Compiles the model and draws its first weights. The model may be freed before the session. */
GRAPHRUN_C_API int graphrun_session_new(const graphrun_model* model, const graphrun_session_options* options,
                                        graphrun_session** session);
GRAPHRUN_C_API void graphrun_session_free(graphrun_session* session);

/* ---- Values ---- */

enum { GRAPHRUN_F32 = 0, GRAPHRUN_I32 = 1, GRAPHRUN_U8 = 2 };

/** Values for one input: dense, row-major, the examples along the first axis; borrowed for the call. u8 given
 * to an f32 input are pixels, which are divided by 255. */
typedef struct graphrun_input {
  const char* name;
  int type;           /**< GRAPHRUN_F32, GRAPHRUN_I32 or GRAPHRUN_U8 */
  const void* values; /**< may be NULL where `count` is 0 */
  size_t count;       /**< of elements */
} graphrun_input;

/** A result: dense, row-major, f32. */
typedef struct graphrun_tensor {
  const float* values;
  size_t count;
  const int64_t* shape;
  size_t rank;
} graphrun_tensor;
GRAPHRUN_C_API void graphrun_tensor_free(graphrun_tensor* tensor);

/** Means per sample, by name: "loss", and every term and metric. */
typedef struct graphrun_figures {
  const char* const* names;
  const double* values;
  size_t count;
} graphrun_figures;
GRAPHRUN_C_API void graphrun_figures_free(graphrun_figures* figures);

/* ---- Learning ---- */

/** Called after each epoch, counted from 1 over all calls, with the figures of its steps, which live as long
 * as the call. May look at the session. Anything but 0 stops: graphrun_fit returns GRAPHRUN_CANCELLED. */
typedef int (*graphrun_on_epoch)(void* context, int64_t epoch, uint64_t steps, double seconds,
                                 const graphrun_figures* figures);

typedef struct graphrun_fit_options {
  size_t size;    /**< sizeof(graphrun_fit_options) */
  int64_t epochs; /**< 0: the model's `train.epochs` */
  int64_t batch;  /**< 0: the model's `train.batch` */
  graphrun_on_epoch on_epoch;
  void* context;
} graphrun_fit_options;

/** Learns from all examples for so many more epochs. */
GRAPHRUN_C_API int graphrun_fit(graphrun_session* session, const graphrun_input* inputs, size_t input_count,
                                const graphrun_fit_options* options);
/** What a source writes for one input. */
typedef struct graphrun_source_input {
  const char* name;
  int type; /**< as of graphrun_input */
} graphrun_source_input;

/** Examples that are written when they are needed. Its functions are called from a thread of the session's
 * while it learns from the batch before, never from two at once, and must not use the session. */
typedef struct graphrun_source {
  size_t size; /**< sizeof(graphrun_source) */
  const graphrun_source_input* inputs;
  size_t input_count;
  int64_t rows; /**< in an epoch, for schedules in epochs; 0: not known */
  void* context;
  /** Begins an epoch; anything but 0 stops: GRAPHRUN_CANCELLED. */
  int (*restart)(void* context, uint64_t seed);
  /** Writes the next rows, `rows` at most, one buffer for each of `inputs`, and returns how many; 0 ends the
   * epoch, a negative number stops: GRAPHRUN_CANCELLED. */
  int64_t (*next)(void* context, void* const* buffers, int64_t rows);
} graphrun_source;

/** Learns from a source, whose order is its own. */
GRAPHRUN_C_API int graphrun_fit_source(graphrun_session* session, const graphrun_source* source,
                                       const graphrun_fit_options* options);
/** One step of the optimizer on one batch, all or nothing. `figures` may be NULL. */
GRAPHRUN_C_API int graphrun_train_step(graphrun_session* session, const graphrun_input* inputs,
                                       size_t input_count, graphrun_figures** figures);
/** Loss, terms and metrics on other examples. */
GRAPHRUN_C_API int graphrun_evaluate(graphrun_session* session, const graphrun_input* inputs,
                                     size_t input_count, graphrun_figures** figures);

/* ---- Using what was learnt ---- */

/** The value of an output or a node. Only the inputs that it needs must be given; any node may be given,
 * which cuts the graph there. */
GRAPHRUN_C_API int graphrun_run(graphrun_session* session, const char* output, const graphrun_input* inputs,
                                size_t input_count, graphrun_tensor** result);

/** Runs a trained model inside a program: the results are the same bits as those of a session with the same
 * provider. */
typedef struct graphrun_predictor graphrun_predictor;

/** Where a predictor takes its weights from: one of the three. */
typedef struct graphrun_weights {
  size_t size;      /**< sizeof(graphrun_weights) */
  const char* path; /**< a checkpoint, or a safetensors file with the model's parameters under their names */
  const void* bytes; /**< what is in such a file, borrowed for the call */
  size_t byte_count;
  const graphrun_session* session; /**< copied as they are; no other thread may be in a call of it */
} graphrun_weights;

typedef struct graphrun_predictor_options {
  size_t size;                /**< sizeof(graphrun_predictor_options) */
  const char* const* outputs; /**< what calls give back: names of outputs or nodes; none: "code" */
  size_t output_count;
  const char* const* inputs; /**< what calls give: names of inputs, outputs or nodes, which cut the graph there;
                                none: the inputs that the outputs need */
  size_t input_count;
  int64_t rows;     /**< makes room for calls of up to so many rows: they allocate nothing; 0: when they come */
  int threads;      /**< the same for so many threads at once; 0: one */
  size_t max_bytes; /**< of memory that a call computes in; 0: no limit */
  int provider;     /**< who runs products */
  int precision;    /**< of products; 0: as the model says */
} graphrun_predictor_options;

/** Compiles what the outputs need. The model, and a session that weights came from, may be freed before the
 * predictor. */
GRAPHRUN_C_API int graphrun_predictor_new(const graphrun_model* model, const graphrun_weights* weights,
                                          const graphrun_predictor_options* options,
                                          graphrun_predictor** predictor);
GRAPHRUN_C_API void graphrun_predictor_free(graphrun_predictor* predictor);
/** "inputs" and "outputs", as of graphrun_model_info_json(). Lives as long as the predictor. */
GRAPHRUN_C_API int graphrun_predictor_info_json(const graphrun_predictor* predictor, const char** json);

/** Where an output goes: exactly its elements, dense and row-major, in the type that it has. */
typedef struct graphrun_output {
  const char* name;
  int type; /**< GRAPHRUN_F32 or GRAPHRUN_I32 */
  void* values;
  size_t count; /**< of elements */
} graphrun_output;

/** Computes all outputs for all rows, on the calling thread alone, from any number of threads at once. Inputs
 * and outputs are found by their names, in any order. A call that fails may have written part of its outputs.
 * Where there is room for it, and no more than 16 inputs and outputs, it allocates nothing. */
GRAPHRUN_C_API int graphrun_predict(const graphrun_predictor* predictor, const graphrun_input* inputs,
                                    size_t input_count, const graphrun_output* outputs, size_t output_count);
/** Replaces the weights while other threads predict: calls that run end with those they began with. */
GRAPHRUN_C_API int graphrun_predictor_swap_weights(graphrun_predictor* predictor,
                                                   const graphrun_weights* weights);

/* ---- Rows of a table ---- */

/** Answers rows as people have them, as texts, by a model that has learnt from a table. Any number of threads
 * use it at once. */
typedef struct graphrun_table_predictor graphrun_table_predictor;

typedef struct graphrun_table_predictor_options {
  size_t size;                /**< sizeof(graphrun_table_predictor_options) */
  const char* const* columns; /**< what the cells of a row are, in their order */
  size_t column_count;        /**< 0: the columns that the model takes, in the order of its table */
  const char* const* outputs; /**< what graphrun_table_predict gives: outputs or nodes */
  size_t output_count;        /**< 0: "target", or else "row" */
  int provider;               /**< who runs products */
} graphrun_table_predictor_options;

/** `weights` is the path of a run's checkpoint, or of what graphrun_save wrote. GRAPHRUN_DATA: a column that
 * the model takes is none of `columns`, or one of these is new. */
GRAPHRUN_C_API int graphrun_table_predictor_new(const graphrun_model* model, const char* weights,
                                                const graphrun_table_predictor_options* options,
                                                graphrun_table_predictor** predictor);
GRAPHRUN_C_API void graphrun_table_predictor_free(graphrun_table_predictor* predictor);
/** "columns" of a row, and "scored_columns", of which each has a part in a score. Lives as long as the
 * predictor. */
GRAPHRUN_C_API int graphrun_table_predictor_info_json(const graphrun_table_predictor* predictor,
                                                      const char** json);
/** How odd a row is, as `graphrun score` says it. A cell for each of "columns"; one that is NULL, empty, NA,
 * nan or the like is missing. `parts` has room for what each of "scored_columns" adds, or is NULL and its
 * count 0. GRAPHRUN_DATA names the cell by its number, from 1: "row:1:NUMBER". */
GRAPHRUN_C_API int graphrun_table_score(const graphrun_table_predictor* predictor, const char* const* cells,
                                        size_t cell_count, double* score, double* parts, size_t part_count);
/** The score that so small a share of rows like those learnt from is above: 0.01. GRAPHRUN_DATA: the weights
 * are no run's, and come without scores of rows that were held out. */
GRAPHRUN_C_API int graphrun_table_threshold(const graphrun_table_predictor* predictor, double share,
                                            double* score);

/** Columns with names; a cell is that of its row and column, one row behind the other. */
typedef struct graphrun_table {
  const char* const* names;
  size_t column_count;
  const char* const* cells; /**< row_count times column_count; none is NULL */
  size_t row_count;
} graphrun_table;
/** The outputs for rows that stand one behind the other, each a cell for each of "columns": "row" as the
 * columns that it draws, "target" as a number in its unit or a class by name, all else as NAME, or NAME_0,
 * NAME_1, ... GRAPHRUN_DATA names line and column of the cell; the first row is line 2. */
GRAPHRUN_C_API int graphrun_table_predict(const graphrun_table_predictor* predictor, const char* const* cells,
                                          size_t row_count, graphrun_table** result);
GRAPHRUN_C_API void graphrun_table_free(graphrun_table* table);

/* ---- State ---- */

GRAPHRUN_C_API int graphrun_parameter_get(const graphrun_session* session, const char* name,
                                          graphrun_tensor** result);
GRAPHRUN_C_API int graphrun_parameter_set(graphrun_session* session, const char* name, const float* values,
                                          size_t count);
/** Writes and reads a safetensors file with weights, optimizer state and the model. */
GRAPHRUN_C_API int graphrun_save(const graphrun_session* session, const char* path);
GRAPHRUN_C_API int graphrun_load(graphrun_session* session, const char* path);
/** Writes an ONNX file of the model in evaluation mode; `part` is "encoder", "decoder", "whole", or names of
 * outputs and nodes with commas. */
GRAPHRUN_C_API int graphrun_export_onnx(const graphrun_session* session, const char* path, const char* part);
/** Optimizer steps so far. */
GRAPHRUN_C_API int graphrun_steps(const graphrun_session* session, uint64_t* steps);
/** SHA-256 over names, shapes and bits of all parameters, 64 digits and a zero. */
GRAPHRUN_C_API int graphrun_digest(const graphrun_session* session, char digest[65]);

#ifdef __cplusplus
}
#endif

#endif
