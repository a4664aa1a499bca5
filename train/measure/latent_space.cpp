#include "train/measure/latent_space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/state/philox.hpp"
#include "train/learn/programs.hpp"

namespace graphrun::train {

namespace {

constexpr const char* image_role = "image";
constexpr const char* code_role = "code";
constexpr const char* latent_role = "latent";
constexpr const char* prior_role = "prior";
/// Enough draws or training images to know the spread of a unit to a percent.
constexpr std::int64_t measured_codes = 10'000;
/// What lies beyond these shares is rare, and drawn badly by most models.
constexpr double lowest_share = 0.02;
constexpr double highest_share = 0.98;

/// The node of a role that the model has.
const Node& node_of(const ModelDefinition& model, const char* role) {
  return model.graph.node(*model.role(role));
}

std::int64_t row_elements(const Node& node) {
  if (node.type.shape.empty() || !node.type.shape.front().is_batch())
    throw Error(ErrorCode::usage,
                fmt::format("'{}' is {}: it has no row for each example", node.name, to_string(node.type)));
  return element_count(bind(node.type.shape, std::int64_t{1}));
}

void require_image(const ModelDefinition& model) {
  if (!model.role(image_role))
    throw Error(
        ErrorCode::usage,
        fmt::format("model '{}' has no output 'image', so there is nothing to draw; name the node that "
                    "makes images in the model file: outputs: {{image: NODE}}",
                    model.name));
}

const Node& fed_node(const ModelDefinition& model) {
  if (model.role(latent_role)) return node_of(model, latent_role);
  if (model.role(code_role)) return node_of(model, code_role);
  throw Error(ErrorCode::usage,
              fmt::format("model '{}' has neither an output 'latent' nor 'code', from which images could be "
                          "made; name one in the model file: outputs: {{code: NODE}}",
                          model.name));
}

CodeSource source_of(const ModelDefinition& model, const Node& node) {
  if (model.role(prior_role)) return CodeSource::prior;
  return node.op->traits.random && node.inputs.empty() ? CodeSource::latent : CodeSource::training_codes;
}

double between(double low, double high, std::int64_t index, std::int64_t count) {
  if (count < 2) return (low + high) / 2;
  return low + (high - low) * static_cast<double>(index) / static_cast<double>(count - 1);
}

}  // namespace

const char* to_string(CodeSource source) {
  switch (source) {
    case CodeSource::prior:
      return "prior";
    case CodeSource::latent:
      return "latent";
    case CodeSource::training_codes:
      return "training codes";
  }
  return "";
}

bool makes_images(const ModelDefinition& model) {
  if (!model.role(image_role)) return false;
  for (const char* role : {latent_role, code_role})
    if (model.role(role)) return node_of(model, role).type.dtype == DType::f32;
  return false;
}

LatentSpace::LatentSpace(Learner& learner) : learner_(learner) {
  const ModelDefinition& model = learner.model();
  require_image(model);
  const Node& fed = fed_node(model);
  node_ = fed.name;
  if (fed.type.dtype != DType::f32)
    throw Error(
        ErrorCode::usage,
        fmt::format(
            "the codes of model '{}' are indices, which cannot be drawn or mixed like numbers; `graphrun "
            "decode` makes images of given ones",
            model.name));
  width_ = row_elements(fed);
  source_ = source_of(model, fed);
  if (source_ != CodeSource::prior) return;
  const std::int64_t drawn = row_elements(node_of(model, prior_role));
  if (drawn != width_)
    throw Error(ErrorCode::usage,
                fmt::format("output 'prior' has {} values a row, but '{}', which it is fed to, "
                            "has {}",
                            drawn, node_, width_));
}

void LatentSpace::measure(const Examples& training) {
  constexpr std::uint64_t own_seed = 0;
  const Codes codes = source_ == CodeSource::training_codes ? encode(first_of(training, measured_codes))
                                                            : draw(measured_codes, own_seed);
  sorted_.assign(static_cast<std::size_t>(width_), {});
  for (std::int64_t row = 0; row < codes.count(); ++row)
    for (std::size_t unit = 0; unit < sorted_.size(); ++unit) sorted_[unit].push_back(codes.row(row)[unit]);
  for (std::vector<float>& values : sorted_) std::sort(values.begin(), values.end());
}

Codes LatentSpace::draw(std::int64_t count, std::uint64_t seed) {
  const Examples nothing{.count = count, .columns = {}, .owner = {}};
  const OutputValues drawn =
      learner_.run({source_ == CodeSource::prior ? prior_role : latent_role}, nothing, {.seed = seed})
          .front();
  const std::span<const float> values = as_floats(drawn);
  return {width_, {values.begin(), values.end()}};
}

Codes LatentSpace::sample(std::int64_t count, std::uint64_t seed) {
  if (source_ != CodeSource::training_codes) return draw(count, seed);
  const runtime::RandomStream stream = runtime::RandomStream::of(
      "generate", {.seed = seed,
                   .domain = static_cast<std::uint32_t>(runtime::RandomDomain::evaluation),
                   .step = 0,
                   .first_row = 0});
  Codes codes{width_, std::vector<float>(static_cast<std::size_t>(checked_multiply(count, width_)))};
  const auto width = static_cast<std::size_t>(width_);
  runtime::fill_uniform(stream, 0, width, std::span(codes.values));
  for (std::size_t i = 0; i < codes.values.size(); ++i)
    codes.values[i] = quantile(static_cast<std::int64_t>(i % width), static_cast<double>(codes.values[i]));
  return codes;
}

float LatentSpace::quantile(std::int64_t unit, double share) const {
  const std::vector<float>& values = sorted_.at(static_cast<std::size_t>(unit));
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return std::lerp(values[below], values[above], static_cast<float>(place - std::floor(place)));
}

Codes LatentSpace::encode(const Examples& images) {
  const ModelDefinition& model = learner_.model();
  if (!model.role(code_role))
    throw Error(ErrorCode::usage,
                fmt::format("model '{}' has no output 'code', so images have no codes in it", model.name));
  const OutputValues codes = learner_.run({code_role}, images).front();
  const std::int64_t width = row_elements(node_of(model, code_role));
  if (width != width_)
    throw Error(ErrorCode::usage,
                fmt::format("output 'code' has {} values a row, but '{}', from which images are "
                            "made, has {}",
                            width, node_, width_));
  const std::span<const float> values = as_floats(codes);
  return {width_, {values.begin(), values.end()}};
}

OutputValues LatentSpace::decode(const Codes& codes, const Examples& inputs) {
  Examples examples = inputs;
  examples.count = codes.count();
  examples.columns[node_] = {ColumnKind::f32_values, width_, std::as_bytes(std::span(codes.values))};
  return learner_.run({image_role}, examples).front();
}

Codes first_codes(Learner& learner, const Examples& examples, std::int64_t most_rows,
                  std::int64_t most_values) {
  const ModelDefinition& model = learner.model();
  const Type& type = model.graph.node(asked_node(model, code_role)).type;
  if (type.shape.empty() || !type.shape.front().is_batch())
    throw Error(ErrorCode::usage,
                fmt::format("output 'code' is {}: it has no row for each image", to_string(type)));
  if (type.dtype == DType::i32)
    throw Error(ErrorCode::usage, "the codes are indices, and near numbers are nothing alike");
  const std::int64_t width = std::max<std::int64_t>(1, element_count(bind(type.shape, std::int64_t{1})));
  const std::int64_t count = std::clamp<std::int64_t>(most_values / width, 1, most_rows);
  const OutputValues values = learner.run({code_role}, first_of(examples, count)).front();
  const std::span<const float> floats = as_floats(values);
  return {width, {floats.begin(), floats.end()}};
}

Codes grid_codes(const LatentSpace& space, std::int64_t side, bool even) {
  if (space.width() != 2)
    throw Error(ErrorCode::usage,
                fmt::format("a grid needs a code of 2 values, '{}' has {}; take samples, --traverse UNIT or "
                            "--interpolate A B",
                            space.node(), space.width()));
  // A share of exactly 0 or 1 would be the one outermost code, so shares stay half a cell inside.
  const auto value = [&](std::int64_t unit, std::int64_t index) {
    if (even)
      return static_cast<float>(between(static_cast<double>(space.quantile(unit, lowest_share)),
                                        static_cast<double>(space.quantile(unit, highest_share)), index,
                                        side));
    return space.quantile(unit, (static_cast<double>(index) + 0.5) / static_cast<double>(side));
  };
  Codes codes{2, {}};
  for (std::int64_t row = 0; row < side; ++row)
    for (std::int64_t column = 0; column < side; ++column)
      codes.values.insert(codes.values.end(), {value(0, column), value(1, side - 1 - row)});
  return codes;
}

Codes interpolated_codes(std::span<const float> from, std::span<const float> to, std::int64_t steps) {
  Codes codes{static_cast<std::int64_t>(from.size()), {}};
  for (std::int64_t step = 0; step < steps; ++step)
    for (std::size_t unit = 0; unit < from.size(); ++unit)
      codes.values.push_back(std::lerp(from[unit], to[unit], static_cast<float>(between(0, 1, step, steps))));
  return codes;
}

Codes traversed_codes(const LatentSpace& space, const Codes& base, std::int64_t unit, std::int64_t steps) {
  if (unit < 0 || unit >= space.width())
    throw Error(ErrorCode::usage, fmt::format("there is no unit {}: '{}' has {} units, 0 to {}", unit,
                                              space.node(), space.width(), space.width() - 1));
  const auto low = static_cast<double>(space.quantile(unit, lowest_share));
  const auto high = static_cast<double>(space.quantile(unit, highest_share));
  Codes codes{base.width, {}};
  for (std::int64_t row = 0; row < base.count(); ++row) {
    for (std::int64_t step = 0; step < steps; ++step) {
      const std::span<const float> values = base.row(row);
      codes.values.insert(codes.values.end(), values.begin(), values.end());
      *(codes.values.end() - base.width + unit) = static_cast<float>(between(low, high, step, steps));
    }
  }
  return codes;
}

}  // namespace graphrun::train
