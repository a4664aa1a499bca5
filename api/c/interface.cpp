// The functions of graphrun.h for models and sessions: each is a call of the C++ interface.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <sstream>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "api/c/arguments.hpp"
#include "api/c/failure.hpp"
#include "api/c/handles.hpp"
#include "api/c/results.hpp"
#include "files/json.hpp"
#include "graphrun/graphrun.h"
#include "graphrun/model.hpp"
#include "graphrun/session.hpp"
#include "graphrun/version.hpp"

using namespace graphrun;
using namespace graphrun::api;

namespace {

Inputs inputs_of(const graphrun_input* inputs, size_t count) {
  Inputs result;
  if (count > 0) require(inputs, "inputs");
  for (size_t i = 0; i < count; ++i) {
    require(inputs[i].name, "the name of an input");
    result.push_back({inputs[i].name, values_of(inputs[i])});
  }
  return result;
}

SessionOptions options_of(const graphrun_session_options* given) {
  const graphrun_session_options options = known(given, "session_options");
  SessionOptions result;
  result.threads = options.threads;
  if (options.executor < GRAPHRUN_EXECUTOR_TBB || options.executor > GRAPHRUN_EXECUTOR_SERIAL)
    throw Error(ErrorCode::usage, fmt::format("there is no executor {}", options.executor));
  result.executor = static_cast<Executor>(options.executor);
  if (options.has_seed != 0) result.seed = options.seed;
  if (options.max_bytes != 0) result.max_bytes = options.max_bytes;
  if (options.steps_per_epoch != 0) result.steps_per_epoch = options.steps_per_epoch;
  result.provider = provider_of(options.provider);
  result.precision = precision_of(options.precision);
  if (options.on_log != nullptr)
    result.on_log = [log = options.on_log, context = options.log_context](std::string_view line) {
      log(context, std::string(line).c_str());
    };
  return result;
}

/// `Examples`: Inputs, or a source.
template <class Examples>
void fit(graphrun_session& session, Examples& examples, const graphrun_fit_options& options) {
  std::stop_source stop;
  FitOptions result;
  if (options.epochs != 0) result.epochs = options.epochs;
  if (options.batch != 0) result.batch = options.batch;
  result.stop = stop.get_token();
  bool is_stopped = false;
  if (options.on_epoch != nullptr) {
    result.on_epoch = [&](const EpochReport& report) {
      const BorrowedFigures figures(report.train);
      is_stopped =
          options.on_epoch(options.context, report.epoch, report.steps, report.seconds, figures.get()) != 0;
      if (is_stopped) stop.request_stop();
    };
  }
  session.session.fit(examples, result);
  // After the last epoch there was nothing left to stop; the answer is the same.
  if (is_stopped) throw Error(ErrorCode::cancelled, "learning was stopped after its last epoch");
}

ElementType element_type(const char* name, int type) {
  switch (type) {
    case GRAPHRUN_F32:
      return ElementType::f32;
    case GRAPHRUN_I32:
      return ElementType::i32;
    case GRAPHRUN_U8:
      return ElementType::u8;
    default:
      throw Error(ErrorCode::usage, fmt::format("input '{}' has the type {}, which is none", name, type));
  }
}

/// A source in C as one in C++.
class SourceOfC final : public Source {
 public:
  explicit SourceOfC(const graphrun_source& source) : source_(source), buffers_(source.input_count) {
    require(reinterpret_cast<const void*>(source.restart), "restart of the source");
    require(reinterpret_cast<const void*>(source.next), "next of the source");
    if (source.input_count > 0) require(source.inputs, "the inputs of the source");
    for (size_t i = 0; i < source.input_count; ++i) {
      const graphrun_source_input& input = source.inputs[i];
      require(input.name, "the name of an input");
      inputs_.push_back({input.name, element_type(input.name, input.type)});
    }
  }

  std::vector<SourceInput> inputs() const override { return inputs_; }
  std::int64_t rows() const override { return source_.rows; }
  void restart(std::uint64_t seed) override {
    if (source_.restart(source_.context, seed) != 0) stop();
  }
  std::int64_t next(std::span<const RowBuffer> into, std::int64_t rows) override {
    for (size_t i = 0; i < into.size(); ++i)
      buffers_[i] = std::visit([](const auto& buffer) -> void* { return buffer.data(); }, into[i]);
    const std::int64_t written = source_.next(source_.context, buffers_.data(), rows);
    if (written < 0) stop();
    return written;
  }

 private:
  [[noreturn]] static void stop() { throw Error(ErrorCode::cancelled, "learning was stopped by its source"); }

  const graphrun_source& source_;
  std::vector<SourceInput> inputs_;
  std::vector<void*> buffers_;
};

std::string info_of(const Model& model) {
  return files::JsonObject()
      .set("name", model.name())
      .set("about", model.about())
      .set("inputs", json_of(model.inputs()))
      .set("outputs", json_of(model.outputs()))
      .set("parameters", json_of(model.parameters()))
      .set("loss", files::json_array(model.loss_terms()))
      .set("metrics", files::json_array(model.metrics()))
      .set("resolved", model.resolved())
      .text();
}

graphrun_model* model_for_c(const Model& model) {
  return std::make_unique<graphrun_model>(graphrun_model{model, info_of(model)}).release();
}

std::vector<std::string> names_in(const char* text) {
  std::vector<std::string> names;
  std::istringstream parts(text);
  for (std::string name; std::getline(parts, name, ',');)
    if (!name.empty()) names.push_back(name);
  return names;
}

}  // namespace

const char* graphrun_last_error() {
  return last_failure();
}

const char* graphrun_last_error_json() {
  return last_failure_json();
}

const char* graphrun_version() {
  return version.data();
}

int graphrun_model_load(const char* path, const char* const* settings, size_t setting_count,
                        graphrun_model** model) {
  return guarded([&] {
    clear(model, "model");
    require(path, "path");
    *model = model_for_c(Model::load(path, texts_of(settings, setting_count, "settings")));
  });
}

int graphrun_model_parse(const char* text, const char* name, const char* const* settings,
                         size_t setting_count, graphrun_model** model) {
  return guarded([&] {
    clear(model, "model");
    require(text, "text");
    require(name, "name");
    *model = model_for_c(Model::parse(text, name, texts_of(settings, setting_count, "settings")));
  });
}

void graphrun_model_free(graphrun_model* model) {
  delete model;
}

int graphrun_model_info_json(const graphrun_model* model, const char** json) {
  return guarded([&] {
    clear(json, "json");
    require(model, "model");
    *json = model->info.c_str();
  });
}

int graphrun_session_new(const graphrun_model* model, const graphrun_session_options* options,
                         graphrun_session** session) {
  return guarded([&] {
    clear(session, "session");
    require(model, "model");
    Session made(model->model, options_of(options));
    *session = std::make_unique<graphrun_session>(graphrun_session{std::move(made)}).release();
  });
}

void graphrun_session_free(graphrun_session* session) {
  delete session;
}

int graphrun_fit(graphrun_session* session, const graphrun_input* inputs, size_t input_count,
                 const graphrun_fit_options* options) {
  return guarded([&] {
    require(session, "session");
    const Inputs examples = inputs_of(inputs, input_count);
    fit(*session, examples, known(options, "fit_options"));
  });
}

int graphrun_fit_source(graphrun_session* session, const graphrun_source* source,
                        const graphrun_fit_options* options) {
  return guarded([&] {
    require(session, "session");
    require(source, "source");
    const graphrun_source given = known(source, "source");
    SourceOfC of_c(given);
    fit(*session, of_c, known(options, "fit_options"));
  });
}

int graphrun_train_step(graphrun_session* session, const graphrun_input* inputs, size_t input_count,
                        graphrun_figures** figures) {
  return guarded([&] {
    if (figures != nullptr) *figures = nullptr;
    require(session, "session");
    std::optional<FiguresRoom> room;
    if (figures != nullptr) room.emplace(session->session.model().loss_terms().size() + 1);
    NamedValues values = session->session.train_step(inputs_of(inputs, input_count));
    if (room) *figures = room->filled(std::move(values));
  });
}

int graphrun_evaluate(graphrun_session* session, const graphrun_input* inputs, size_t input_count,
                      graphrun_figures** figures) {
  return guarded([&] {
    clear(figures, "figures");
    require(session, "session");
    *figures = figures_for_c(session->session.evaluate(inputs_of(inputs, input_count)));
  });
}

int graphrun_run(graphrun_session* session, const char* output, const graphrun_input* inputs,
                 size_t input_count, graphrun_tensor** result) {
  return guarded([&] {
    clear(result, "result");
    require(session, "session");
    require(output, "output");
    *result = tensor_for_c(session->session.run(output, inputs_of(inputs, input_count)));
  });
}

int graphrun_parameter_get(const graphrun_session* session, const char* name, graphrun_tensor** result) {
  return guarded([&] {
    clear(result, "result");
    require(session, "session");
    require(name, "name");
    *result = tensor_for_c(session->session.parameter(name));
  });
}

int graphrun_parameter_set(graphrun_session* session, const char* name, const float* values, size_t count) {
  return guarded([&] {
    require(session, "session");
    require(name, "name");
    if (count > 0) require(values, "values");
    session->session.set_parameter(name, std::span(values, count));
  });
}

int graphrun_save(const graphrun_session* session, const char* path) {
  return guarded([&] {
    require(session, "session");
    require(path, "path");
    session->session.save(path);
  });
}

int graphrun_load(graphrun_session* session, const char* path) {
  return guarded([&] {
    require(session, "session");
    require(path, "path");
    session->session.load(path);
  });
}

int graphrun_export_onnx(const graphrun_session* session, const char* path, const char* part) {
  return guarded([&] {
    require(session, "session");
    require(path, "path");
    require(part, "part");
    OnnxOptions options;
    options.part = names_in(part);
    session->session.export_onnx(path, options);
  });
}

int graphrun_steps(const graphrun_session* session, std::uint64_t* steps) {
  return guarded([&] {
    require(steps, "steps");
    require(session, "session");
    *steps = session->session.steps();
  });
}

int graphrun_digest(const graphrun_session* session, char digest[65]) {
  return guarded([&] {
    require(digest, "digest");
    require(session, "session");
    const std::string text = session->session.digest();
    std::memcpy(digest, text.c_str(), std::min<size_t>(text.size(), 64) + 1);
  });
}
