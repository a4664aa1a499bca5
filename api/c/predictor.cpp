// The functions of graphrun.h for predictors, whose inputs and outputs have names in C.
#include "graphrun/predictor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "api/c/arguments.hpp"
#include "api/c/failure.hpp"
#include "api/c/handles.hpp"
#include "errors/nearest.hpp"
#include "files/json.hpp"

using namespace graphrun;
using namespace graphrun::api;

struct graphrun_predictor {
  Model model;
  Predictor predictor;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::string info;
};

namespace {

Weights weights_of(const Model& model, const graphrun_weights* given) {
  require(given, "weights");
  const graphrun_weights weights = known(given, "weights");
  const int sources = (weights.path != nullptr) + (weights.bytes != nullptr) + (weights.session != nullptr);
  if (sources != 1)
    throw Error(ErrorCode::usage,
                fmt::format("weights are of a path, of bytes or of a session, and {} of these are given",
                            sources == 0 ? "none" : "several"));
  if (weights.path != nullptr) return Weights::load(model, weights.path);
  if (weights.session != nullptr) return weights.session->session.weights();
  return Weights::load(model, std::span(static_cast<const std::byte*>(weights.bytes), weights.byte_count));
}

PredictorOptions options_of(const graphrun_predictor_options& options) {
  PredictorOptions result;
  result.outputs = texts_of(options.outputs, options.output_count, "outputs");
  result.inputs = texts_of(options.inputs, options.input_count, "inputs");
  if (options.max_bytes != 0) result.max_bytes = options.max_bytes;
  result.provider = provider_of(options.provider);
  result.precision = precision_of(options.precision);
  return result;
}

std::vector<std::string> names_of(const std::vector<TensorInfo>& tensors) {
  std::vector<std::string> names;
  for (const TensorInfo& tensor : tensors) names.push_back(tensor.name);
  return names;
}

OutputSpan room_of(const graphrun_output& output) {
  if (output.count > 0) require(output.values, "the values of an output");
  switch (output.type) {
    case GRAPHRUN_F32:
      return std::span(static_cast<float*>(output.values), output.count);
    case GRAPHRUN_I32:
      return std::span(static_cast<std::int32_t*>(output.values), output.count);
    default:
      throw Error(ErrorCode::usage, fmt::format("output '{}' has the type {}: outputs are f32 or i32",
                                                output.name, output.type));
  }
}

/// So many spans: as many as models mostly have take no memory.
template <class Span>
class Spans {
 public:
  explicit Spans(std::size_t count) : many_(count > few_.size() ? count : 0), count_(count) {}
  std::span<Span> all() { return many_.empty() ? std::span(few_).first(count_) : std::span(many_); }

 private:
  std::array<Span, 16> few_{};
  std::vector<Span> many_;
  std::size_t count_;
};

template <class Given>
const Given& named(std::span<const Given> given, const std::string& name, const char* kind) {
  for (const Given& one : given)
    if (name == one.name) return one;
  throw Error(ErrorCode::usage, fmt::format("{} '{}' is needed and not given", kind, name));
}

/// Every name in `names` is given once, and no other.
template <class Given>
void require_names(std::span<const Given> given, const std::vector<std::string>& names, const char* kind) {
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char* const name = given[i].name;
    require(name, kind);
    if (std::ranges::find(names, name) == names.end())
      throw Error(ErrorCode::usage,
                  fmt::format("the predictor has no {} '{}'. {}", kind, name, suggestion(name, names)));
    for (std::size_t before = 0; before < i; ++before)
      if (std::strcmp(given[before].name, name) == 0)
        throw Error(ErrorCode::usage, fmt::format("{} '{}' is given twice", kind, name));
  }
}

}  // namespace

int graphrun_predictor_new(const graphrun_model* model, const graphrun_weights* weights,
                           const graphrun_predictor_options* options, graphrun_predictor** predictor) {
  return guarded([&] {
    clear(predictor, "predictor");
    require(model, "model");
    const graphrun_predictor_options chosen = known(options, "predictor_options");
    Predictor made(model->model, weights_of(model->model, weights), options_of(chosen));
    if (chosen.rows != 0 || chosen.threads != 0)
      made.prepare(chosen.rows == 0 ? 1 : chosen.rows, chosen.threads == 0 ? 1 : chosen.threads);
    const std::vector<TensorInfo> inputs = made.inputs();
    const std::vector<TensorInfo> outputs = made.outputs();
    const std::string info =
        files::JsonObject().set("inputs", json_of(inputs)).set("outputs", json_of(outputs)).text();
    *predictor =
        std::make_unique<graphrun_predictor>(
            graphrun_predictor{model->model, std::move(made), names_of(inputs), names_of(outputs), info})
            .release();
  });
}

void graphrun_predictor_free(graphrun_predictor* predictor) {
  delete predictor;
}

int graphrun_predictor_info_json(const graphrun_predictor* predictor, const char** json) {
  return guarded([&] {
    clear(json, "json");
    require(predictor, "predictor");
    *json = predictor->info.c_str();
  });
}

int graphrun_predict(const graphrun_predictor* predictor, const graphrun_input* inputs, size_t input_count,
                     const graphrun_output* outputs, size_t output_count) {
  return guarded([&] {
    require(predictor, "predictor");
    if (input_count > 0) require(inputs, "inputs");
    if (output_count > 0) require(outputs, "outputs");
    const std::span given(inputs, input_count);
    const std::span asked(outputs, output_count);
    require_names(given, predictor->inputs, "input");
    require_names(asked, predictor->outputs, "output");
    Spans<InputSpan> values(predictor->inputs.size());
    Spans<OutputSpan> room(predictor->outputs.size());
    std::ranges::transform(predictor->inputs, values.all().begin(),
                           [&](const std::string& name) { return values_of(named(given, name, "input")); });
    std::ranges::transform(predictor->outputs, room.all().begin(),
                           [&](const std::string& name) { return room_of(named(asked, name, "output")); });
    predictor->predictor.predict(values.all(), room.all());
  });
}

int graphrun_predictor_swap_weights(graphrun_predictor* predictor, const graphrun_weights* weights) {
  return guarded([&] {
    require(predictor, "predictor");
    predictor->predictor.swap_weights(weights_of(predictor->model, weights));
  });
}
