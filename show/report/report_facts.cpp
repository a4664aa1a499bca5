#include "show/report/report_facts.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <thread>

#include "files/number_text.hpp"
#include "graphrun/version.hpp"
#include "show/draw/curves.hpp"
#include "show/draw/scales.hpp"
#include "show/report/layer_graph.hpp"
#include "show/report/report_scale.hpp"
#include "train/learn/checkpoint.hpp"
#include "train/measure/draw_statistics.hpp"

namespace graphrun::show {

namespace {

constexpr std::size_t most_points = 2'000;  ///< of a curve
constexpr std::size_t most_key_figures = 5;

// ---- The model ----

constexpr double box_height = 46;
constexpr double letter_width = 7.3;  ///< of the font of a box, about
constexpr double narrowest_box = 104;

/// "14 × 14 × 16" of a row, "one number" of a scalar.
std::string shape_text(const Type& type) {
  std::vector<std::string> extents;
  for (std::size_t axis = 0; axis < type.shape.size(); ++axis)
    if (axis > 0 || !type.shape[axis].is_batch()) extents.push_back(to_string(type.shape[axis]));
  return extents.empty() ? "1" : fmt::format("{}", fmt::join(extents, " \u00d7 "));
}

std::string detail_of(const Layer& layer) {
  if (layer.kind == LayerKind::loss) return "loss term";
  if (layer.kind == LayerKind::input) return "input, " + shape_text(layer.type);
  return layer.what + ", " + shape_text(layer.type);
}

/// "mu (code)": a name, and the outputs that it gives under another one.
std::string title_of(const Layer& layer) {
  std::vector<std::string> others = layer.roles;
  std::erase(others, layer.name);
  return others.empty() ? layer.name : fmt::format("{} ({})", layer.name, fmt::join(others, ", "));
}

std::size_t letters(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

/// Wider for more numbers in a row, so that a bottleneck looks like one.
double box_width(const Layer& layer, const std::string& title, const std::string& detail) {
  double width = narrowest_box;
  if (layer.kind != LayerKind::loss && !layer.type.shape.empty() && layer.type.shape.front().is_batch()) {
    const std::int64_t count = element_count(bind(layer.type.shape, std::int64_t{1}));
    width = 90 + 16 * std::log2(static_cast<double>(std::max<std::int64_t>(count, 1)));
  }
  const double text = std::max(letter_width * 1.05 * static_cast<double>(letters(title)),
                               letter_width * 0.92 * static_cast<double>(letters(detail)));
  return std::max({width, narrowest_box, text + 22});
}

files::JsonObject graph_of(const ModelDefinition& model) {
  const LayerGraph graph = layer_graph(model);
  std::vector<double> widths;
  std::vector<std::string> titles;
  for (const Layer& layer : graph.layers) {
    titles.push_back(title_of(layer));
    widths.push_back(box_width(layer, titles.back(), detail_of(layer)));
  }
  const Layout layout = place_layers(widths, box_height, graph.edges);
  files::JsonArray boxes;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    const std::string type = layer.kind == LayerKind::loss ? "f32[]" : to_string(layer.type);
    boxes.add(files::JsonObject()
                  .set("x", layout.boxes[i].x)
                  .set("y", layout.boxes[i].y)
                  .set("width", widths[i])
                  .set("height", box_height)
                  .set("title", titles[i])
                  .set("detail", detail_of(layer))
                  .set("what", layer.what)
                  .set("type", type)
                  .set("kind", std::string(to_string(layer.kind)) + (layer.roles.empty() ? "" : " output"))
                  .set("hint", fmt::format("{}: {}, {}", layer.name, layer.what, type)));
  }
  files::JsonArray edges;
  for (const std::vector<Point>& points : layout.edges) {
    files::JsonArray way;
    for (const Point& point : points) way.add(files::JsonArray().add(point.x).add(point.y));
    edges.add(way);
  }
  return files::JsonObject()
      .set("width", layout.width)
      .set("height", layout.height)
      .set("boxes", boxes)
      .set("edges", edges);
}

// ---- Figures ----

std::vector<Curve::Point> thinned(const std::vector<Curve::Point>& points) {
  const std::size_t step = points.size() / most_points + 1;
  std::vector<Curve::Point> kept;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (i % step == 0 || i + 1 == points.size()) kept.push_back(points[i]);
  return kept;
}

files::JsonArray points_of(const std::vector<Curve::Point>& points) {
  files::JsonArray array;
  for (const Curve::Point& point : points) array.add(files::JsonArray().add(point.step).add(point.value));
  return array;
}

/// The points that a line joins, as [begin, end).
files::JsonArray joined(const std::vector<Curve::Point>& points, const std::vector<LoggedStage>& stages) {
  files::JsonArray array;
  for (const Part& part : parts_of(points, stages))
    array.add(files::JsonArray().add(part.begin).add(part.end));
  return array;
}

files::JsonObject figure_of(const Curve& curve, const std::vector<LoggedStage>& stages) {
  const std::vector<Curve::Point> train = thinned(curve.train);
  const std::vector<Curve::Point> test = thinned(curve.test);
  const ValueScales scales = value_scales(curve);
  files::JsonArray choice = files::JsonArray().add(json_of(scales.even));
  if (scales.logarithmic) choice.add(json_of(*scales.logarithmic));
  return files::JsonObject()
      .set("name", curve.name)
      .set("train", points_of(train))
      .set("train_parts", joined(train, stages))
      .set("test", points_of(test))
      .set("test_parts", joined(test, stages))
      .set("scales", choice)
      .set("preferred", scales.preferred().logarithmic ? 1 : 0);
}

/// "test" or "validation": what is measured after each epoch.
std::string measured_in(const std::vector<Curve>& curves) {
  for (const Curve& curve : curves)
    if (!curve.test.empty()) return curve.measured;
  return "test";
}

files::JsonObject curves_of(const std::vector<Curve>& curves, const std::vector<LoggedStage>& logged) {
  files::JsonArray figures;
  for (const Curve& curve : curves) figures.add(figure_of(curve, logged));
  files::JsonArray stages;
  for (const LoggedStage& stage : logged)
    stages.add(files::JsonObject()
                   .set("phase", stage.phase)
                   .set("draw", stage.draw)
                   .set("layer", stage.layer)
                   .set("from", stage.first)
                   .set("to", stage.last));
  return files::JsonObject()
      .set("steps", json_of(step_scale(curves)))
      .set("most_dots", most_dots)
      .set("measured", measured_in(curves))
      .set("figures", figures)
      .set("stages", stages);
}

files::JsonArray estimates(const std::vector<train::Estimate>& figures) {
  files::JsonArray array;
  for (const train::Estimate& figure : figures)
    array.add(files::JsonObject()
                  .set("name", figure.name)
                  .set("mean", figure.mean)
                  .set("half_width", figure.half_width));
  return array;
}

void set_last(files::JsonObject& object, const char* key, const std::vector<Curve::Point>& points) {
  object.set(key, points.empty() ? files::JsonValue(nullptr) : points.back().value);
}

files::JsonObject results_of(const ModelDefinition& model, const train::TrainingState& state,
                             const std::vector<Curve>& curves) {
  files::JsonArray latest;
  for (const Curve& curve : curves) {
    files::JsonObject row;
    row.set("name", curve.name);
    set_last(row, "train", curve.train);
    set_last(row, "test", curve.test);
    latest.add(row);
  }
  files::JsonArray phases;
  files::JsonArray differences;
  if (model.train && model.train->has_phases()) {
    for (const train::PhaseSummary& phase : summaries(*model.train, state.results))
      phases.add(files::JsonObject()
                     .set("name", phase.phase)
                     .set("count", phase.draws)
                     .set("figures", estimates(phase.figures)));
    for (const train::PhaseDifference& pair : train::differences(*model.train, state.results))
      differences.add(files::JsonObject()
                          .set("name", fmt::format("{} \u2212 {}", pair.of, pair.minus))
                          .set("count", pair.pairs)
                          .set("figures", estimates(pair.figures)));
  }
  return files::JsonObject().set("latest", latest).set("phases", phases).set("differences", differences);
}

// ---- The run ----

/// As Linux names it.
std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::int64_t parameter_count(const train::Learner& learner) {
  std::int64_t count = 0;
  for (const auto* variable : learner.variables().all())
    if (variable->trainable) count += element_count(variable->extents);
  return count;
}

std::string now() {
  const std::time_t time = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("{:%d %B %Y, %H:%M} UTC", fmt::gmtime(time));
}

std::string table_text(const train::Dataset& data) {
  const auto counted = [](const train::ImageSet& part) {
    return files::grouped(static_cast<std::int64_t>(part.count));
  };
  std::string text =
      fmt::format("{}: {} {} to learn from", data.name, counted(data.train), data.train.noun());
  if (data.validation.count > 0) text += fmt::format(", {} to validate with", counted(data.validation));
  if (data.test.count > 0) text += fmt::format(", {} to test with", counted(data.test));
  return fmt::format("{}; {} cells in each{}", text, data.train.width,
                     data.train.height > 1 ? fmt::format(" of {} rows", data.train.height) : "");
}

std::string data_text(const train::Dataset& data) {
  if (data.train.is_table) return table_text(data);
  const std::string counts =
      data.test.count > 0
          ? fmt::format("{} training and {} test {}",
                        files::grouped(static_cast<std::int64_t>(data.train.count)),
                        files::grouped(static_cast<std::int64_t>(data.test.count)), data.train.noun())
          : fmt::format("{} {}", files::grouped(static_cast<std::int64_t>(data.train.count)),
                        data.train.noun());
  if (!data.train.are_pictures)
    return fmt::format("{}: {} of {} numbers", data.name, counts, data.train.values_per_image());
  return fmt::format("{}: {} of {} \u00d7 {} pixels{}", data.name, counts, data.train.height,
                     data.train.width,
                     data.is_subset ? "; only the small part that comes with graphrun" : "");
}

files::JsonObject run_of(train::Learner& learner, const Source& source) {
  const train::TrainingState& state = learner.state();
  files::JsonArray facts;
  const auto fact = [&](const char* name, const std::string& value) {
    facts.add(files::JsonObject().set("name", name).set("value", value));
  };
  fact("Data", data_text(source.data));
  fact("Steps", files::grouped(static_cast<std::int64_t>(state.step)));
  fact("Epochs", files::grouped(static_cast<std::int64_t>(state.epoch)));
  fact("Time spent learning", files::duration_text(state.seconds));
  fact("Seed", fmt::format("{}", state.seed));
  fact("Digest of the weights", learner.digest());
  fact("Versions", train::made_with(learner));
  fact("Processor", fmt::format("{}, {} threads", processor_name(), std::thread::hardware_concurrency()));
  return files::JsonObject().set("facts", facts).set("version", version).set("made", now());
}

/// What stands large at the top: what was reached and with what.
files::JsonArray key_figures(train::Learner& learner, const std::vector<Curve>& curves) {
  files::JsonArray figures;
  std::size_t count = 0;
  for (const Curve& curve : curves) {
    const auto& points = curve.test.empty() ? curve.train : curve.test;
    if (points.empty() || ++count > most_key_figures - 2) continue;
    figures.add(files::JsonObject()
                    .set("name", (curve.test.empty() ? "training " : curve.measured + " ") + curve.name)
                    .set("value", points.back().value));
  }
  figures.add(
      files::JsonObject().set("name", "parameters").set("value", files::grouped(parameter_count(learner))));
  figures.add(files::JsonObject()
                  .set("name", "learnt in")
                  .set("value", files::duration_text(learner.state().seconds)));
  return figures;
}

}  // namespace

void set_facts(files::JsonObject& data, train::Learner& learner, const Source& source) {
  const ModelDefinition& model = learner.model();
  std::vector<Curve> curves;
  std::vector<LoggedStage> stages;
  if (!source.metrics.empty() && std::filesystem::exists(source.metrics)) {
    curves = read_curves(source.metrics);
    stages = read_stages(source.metrics);
  }
  data.set("model", files::JsonObject()
                        .set("name", model.name)
                        .set("about", model.about)
                        .set("yaml", model.resolved)
                        .set("graph", graph_of(model)));
  data.set("results", results_of(model, learner.state(), curves))
      .set("curves", curves_of(curves, stages))
      .set("run", run_of(learner, source))
      .set("key_figures", key_figures(learner, curves));
}

}  // namespace graphrun::show
