// Every function of the C interface while an allocation of it fails, once or from there on: a code, no
// result, no block that nobody frees, and a state from which the same call then succeeds.
#include <cstring>
#include <filesystem>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "graphrun/graphrun.h"
#include "tests/failures/inject.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/six_numbers.hpp"
#include "tests/support/temporary_folder.hpp"

using graphrun::testing::FailingAllocations;
using graphrun::testing::live_allocations;
using graphrun::testing::Positions;
using graphrun::testing::TemporaryFolder;

namespace {

const std::string text = graphrun::testing::six_numbers_model(
    "  code:  {op: dense, in: x, units: 2, act: tanh}\n"
    "  recon: {op: dense, in: code, units: 6, act: sigmoid}\n",
    "optimizer: {op: adam, lr: 1.0e-2}, batch: 4, epochs: 2");

constexpr std::size_t rows = 8;
const std::vector<float> values = graphrun::testing::six_numbers(rows);

graphrun_input input() {
  return {"x", GRAPHRUN_F32, values.data(), values.size()};
}

graphrun_session_options of_one_thread() {
  graphrun_session_options options{};
  options.size = sizeof options;
  options.executor = GRAPHRUN_EXECUTOR_SERIAL;
  return options;
}

/// What was wrong while allocations were counted: a check of Catch's allocates itself.
const char* fault = nullptr;

void expect(bool holds, const char* what) {
  if (!holds && fault == nullptr) fault = what;
}

/// A session of one thread, so that all it allocates is counted.
class Session {
 public:
  Session() {
    const graphrun_session_options options = of_one_thread();
    expect(graphrun_model_parse(text.c_str(), "small.yaml", nullptr, 0, &model) == GRAPHRUN_OK,
           "a model is made");
    expect(graphrun_session_new(model, &options, &session) == GRAPHRUN_OK, "a session is made");
    const graphrun_weights weights{sizeof weights, nullptr, nullptr, 0, session};
    expect(graphrun_predictor_new(model, &weights, nullptr, &predictor) == GRAPHRUN_OK,
           "a predictor is made");
  }
  ~Session() {
    graphrun_predictor_free(predictor);
    graphrun_session_free(session);
    graphrun_model_free(model);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  graphrun_model* model = nullptr;
  graphrun_session* session = nullptr;
  graphrun_predictor* predictor = nullptr;
};

/// Gives the code that it got, and frees what came with it; NULL must have come with a failure.
using Call = std::function<int(const Session&)>;

/// The number of allocations that the call made until it failed, or ended.
long try_call(const Call& call, long nth, bool lasting) {
  const Session session;
  int code = GRAPHRUN_OK;
  long count = 0;
  {
    const FailingAllocations failing(nth, lasting);
    code = call(session);
    count = failing.count();
  }
  if (code != GRAPHRUN_OK) {
    expect(code == GRAPHRUN_MEMORY, "the code is that of memory");
    expect(std::strstr(graphrun_last_error(), "memory") != nullptr, "the text says so");
    expect(std::strstr(graphrun_last_error_json(), "\"memory\"") != nullptr, "and so does the JSON");
  }
  expect(call(session) == GRAPHRUN_OK, "the next call succeeds");
  return count;
}

void sweep(const char* name, bool all, const Call& call) {
  // What is made once for all, and the words of a failure, which the thread keeps.
  for (const long nth : {graphrun::testing::never, 1L, graphrun::testing::never}) try_call(call, nth, false);
  int tried = 0;
  for (const bool lasting : {false, true}) {
    Positions positions(all);
    for (long nth = 1;; nth = positions.after(nth)) {
      const long before = live_allocations();
      const long count = try_call(call, nth, lasting);
      const long kept = live_allocations() - before;
      CAPTURE(name, nth, lasting);
      REQUIRE(std::string(fault == nullptr ? "" : fault).empty());
      REQUIRE(kept == 0);
      if (count < nth) break;
      ++tried;
    }
  }
  if (all) std::cout << name << ": " << tried << " positions\n";
}

/// What a call has made is freed; after a failure there must be nothing.
template <class Result>
int taken(int code, Result* result, void (*release)(Result*)) {
  expect((code == GRAPHRUN_OK) == (result != nullptr), "there is a result exactly where there is no failure");
  release(result);
  return code;
}

int restart(void* left, std::uint64_t /*seed*/) {
  *static_cast<std::int64_t*>(left) = rows;
  return 0;
}

std::int64_t next(void* left, void* const* buffers, std::int64_t asked) {
  auto& still = *static_cast<std::int64_t*>(left);
  const std::int64_t count = std::min(asked, still);
  std::memcpy(buffers[0], values.data(), sizeof(float) * 6 * static_cast<std::size_t>(count));
  still -= count;
  return count;
}

/// A model that has learnt from a table, its weights, and what answers rows by them.
class Rows {
 public:
  explicit Rows(const TemporaryFolder& folder) : weights(folder / "rows") {
    const std::string table = folder / "rows.csv";
    FILE* const stream = std::fopen(table.c_str(), "w");
    std::fputs("temp,kind\n1,a\n3,b\n5,a\n", stream);
    std::fclose(stream);
    const std::string model_text =
        "graphrun: 1\nname: rows\ndata: {columns: {categories: [kind]}, train: {table: " + table +
        "}}\ninputs: {x: {from: cells}}\nnodes: {row: {op: dense, in: x, units: 3}}\n"
        "outputs: {row: row}\nloss: {r: {op: mse, in: [row, x]}}\n"
        "train: {optimizer: {op: sgd, lr: 0.1}, batch: 3, epochs: 1}\n";
    const graphrun_session_options options = of_one_thread();
    graphrun_session* session = nullptr;
    REQUIRE(graphrun_model_parse(model_text.c_str(), "rows.yaml", nullptr, 0, &model) == GRAPHRUN_OK);
    REQUIRE(graphrun_session_new(model, &options, &session) == GRAPHRUN_OK);
    REQUIRE(graphrun_save(session, weights.c_str()) == GRAPHRUN_OK);
    graphrun_session_free(session);
    REQUIRE(graphrun_table_predictor_new(model, weights.c_str(), nullptr, &predictor) == GRAPHRUN_OK);
  }
  ~Rows() {
    graphrun_table_predictor_free(predictor);
    graphrun_model_free(model);
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  std::string weights;
  graphrun_model* model = nullptr;
  graphrun_table_predictor* predictor = nullptr;
};

void sweep_tables(bool all, const Rows& machines) {
  const char* cells[] = {"3", "b"};
  sweep("table_predictor_new", all, [&](const Session&) {
    graphrun_table_predictor* made = nullptr;
    const int code = graphrun_table_predictor_new(machines.model, machines.weights.c_str(), nullptr, &made);
    return taken(code, made, graphrun_table_predictor_free);
  });
  sweep("table_predictor_info_json", all, [&](const Session&) {
    const char* json = nullptr;
    return graphrun_table_predictor_info_json(machines.predictor, &json);
  });
  sweep("table_score", all, [&](const Session&) {
    double score = 0;
    double parts[2];
    return graphrun_table_score(machines.predictor, cells, 2, &score, parts, 2);
  });
  sweep("table_predict", all, [&](const Session&) {
    graphrun_table* drawn = nullptr;
    const int code = graphrun_table_predict(machines.predictor, cells, 1, &drawn);
    return taken(code, drawn, graphrun_table_free);
  });
}

void sweep_all(bool all) {
  const TemporaryFolder folder;
  const std::string file = folder / "state";
  const std::string good = folder / "good";
  const std::string model_file = folder / "model.yaml";
  {
    const Session session;
    REQUIRE(graphrun_save(session.session, good.c_str()) == GRAPHRUN_OK);
    FILE* const stream = std::fopen(model_file.c_str(), "w");
    std::fputs(text.c_str(), stream);
    std::fclose(stream);
  }
  const graphrun_input in = input();

  sweep("model_parse", all, [](const Session&) {
    graphrun_model* model = nullptr;
    const int code = graphrun_model_parse(text.c_str(), "small.yaml", nullptr, 0, &model);
    return taken(code, model, graphrun_model_free);
  });
  sweep("model_load", all, [&](const Session&) {
    graphrun_model* model = nullptr;
    const int code = graphrun_model_load(model_file.c_str(), nullptr, 0, &model);
    return taken(code, model, graphrun_model_free);
  });
  sweep("model_info_json", all, [](const Session& session) {
    const char* json = nullptr;
    return graphrun_model_info_json(session.model, &json);
  });
  sweep("session_new", all, [](const Session& session) {
    graphrun_session* made = nullptr;
    const graphrun_session_options options = of_one_thread();
    const int code = graphrun_session_new(session.model, &options, &made);
    return taken(code, made, graphrun_session_free);
  });
  sweep("fit", all, [&](const Session& session) { return graphrun_fit(session.session, &in, 1, nullptr); });
  sweep("fit_source", all, [&](const Session& session) {
    std::int64_t left = 0;
    const graphrun_source_input given{"x", GRAPHRUN_F32};
    const graphrun_source source{sizeof source, &given, 1, rows, &left, restart, next};
    return graphrun_fit_source(session.session, &source, nullptr);
  });
  sweep("train_step", all, [&](const Session& session) {
    graphrun_figures* figures = nullptr;
    std::uint64_t before = 0;
    std::uint64_t after = 0;
    graphrun_steps(session.session, &before);
    const int code = graphrun_train_step(session.session, &in, 1, &figures);
    graphrun_steps(session.session, &after);
    expect(after == before + (code == GRAPHRUN_OK ? 1 : 0), "a step that fails is not taken");
    return taken(code, figures, graphrun_figures_free);
  });
  sweep("evaluate", all, [&](const Session& session) {
    graphrun_figures* figures = nullptr;
    const int code = graphrun_evaluate(session.session, &in, 1, &figures);
    return taken(code, figures, graphrun_figures_free);
  });
  sweep("run", all, [&](const Session& session) {
    graphrun_tensor* codes = nullptr;
    const int code = graphrun_run(session.session, "code", &in, 1, &codes);
    return taken(code, codes, graphrun_tensor_free);
  });
  sweep("predictor_new", all, [](const Session& session) {
    graphrun_predictor* made = nullptr;
    const graphrun_weights weights{sizeof weights, nullptr, nullptr, 0, session.session};
    const int code = graphrun_predictor_new(session.model, &weights, nullptr, &made);
    return taken(code, made, graphrun_predictor_free);
  });
  std::vector<float> codes(rows *
                           2);  // made before: a bad_alloc of a test's own would be no failure of a call
  sweep("predict", all, [&](const Session& session) {
    const graphrun_output out{"code", GRAPHRUN_F32, codes.data(), codes.size()};
    return graphrun_predict(session.predictor, &in, 1, &out, 1);
  });
  sweep("predictor_swap_weights", all, [&](const Session& session) {
    const graphrun_weights weights{sizeof weights, good.c_str(), nullptr, 0, nullptr};
    return graphrun_predictor_swap_weights(session.predictor, &weights);
  });
  sweep("parameter_get", all, [](const Session& session) {
    graphrun_tensor* bias = nullptr;
    const int code = graphrun_parameter_get(session.session, "code.b", &bias);
    return taken(code, bias, graphrun_tensor_free);
  });
  sweep("parameter_set", all, [](const Session& session) {
    return graphrun_parameter_set(session.session, "code.b", values.data(), 2);
  });
  sweep("save", all, [&](const Session& session) { return graphrun_save(session.session, file.c_str()); });
  sweep("load", all, [&](const Session& session) { return graphrun_load(session.session, good.c_str()); });
  sweep("export_onnx", all, [&](const Session& session) {
    return graphrun_export_onnx(session.session, file.c_str(), "encoder");
  });
  sweep("steps", all, [](const Session& session) {
    std::uint64_t steps = 0;
    return graphrun_steps(session.session, &steps);
  });
  sweep("digest", all, [](const Session& session) {
    char digest[65];
    return graphrun_digest(session.session, digest);
  });
  sweep_tables(all, Rows(folder));
}

}  // namespace

TEST_CASE("a C function whose allocation fails says so, keeps nothing and changes nothing") {
  sweep_all(false);
}

TEST_CASE("a C function says so of each single allocation that fails", "[.][long]") {
  sweep_all(true);
}

TEST_CASE("an error for whose words there is no memory is one of memory") {
  graphrun_model* model = nullptr;
  REQUIRE(graphrun_model_parse("graphrun: 1\nnodes: {y: {op: relux}}\n", "m.yaml", nullptr, 0, &model) ==
          GRAPHRUN_MODEL);
  Positions positions(true);
  for (long nth = 1;; nth = positions.after(nth)) {
    CAPTURE(nth);
    int code = GRAPHRUN_OK;
    long count = 0;
    {
      const FailingAllocations failing(nth, true);
      code = graphrun_model_parse("graphrun: 1\nnodes: {y: {op: relux}}\n", "m.yaml", nullptr, 0, &model);
      count = failing.count();
    }
    REQUIRE((code == GRAPHRUN_MEMORY || code == GRAPHRUN_MODEL));
    REQUIRE(model == nullptr);
    if (count < nth) {
      CHECK(code == GRAPHRUN_MODEL);
      break;
    }
  }
}
