#include "show/report/report_latent.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "show/draw/pictures.hpp"
#include "show/report/page_decoder.hpp"
#include "show/report/sprite.hpp"

namespace graphrun::show {

namespace {

constexpr std::int64_t samples = 40;
constexpr std::int64_t grid_side = 13;
constexpr std::int64_t steps_of_a_way = 11;
constexpr std::int64_t most_ways = 10;
constexpr double lowest_share = 0.02;
constexpr double highest_share = 0.98;

/// One more than the largest label; 0 without labels.
std::int64_t label_count(const Source& source) {
  const std::vector<std::int32_t>& labels = source.data.train.labels;
  return labels.empty() ? 0 : *std::max_element(labels.begin(), labels.end()) + std::int64_t{1};
}

class Showing {
 public:
  Showing(train::Learner& learner, const Source& source, const std::optional<train::Codes>& codes,
          const std::optional<train::PrincipalPlane>& principal)
      : learner_(learner),
        source_(source),
        space_(learner),
        decoder_(page_decoder(learner, space_, label_count(source))),
        principal_(principal) {
    if (codes && codes->width == space_.width()) codes_ = &*codes;
  }

  void show(files::JsonObject& data) {
    if (decoder_.description)
      data.set("decoder", *decoder_.description);
    else
      data.set("decoder_note", decoder_.reason);
    const Node& fed = node();
    if (fed.type.dtype != DType::f32) return;
    space_.measure(source_.train);
    order_units();
    data.set("latent", latent());
    if (!decoder_.description && space_.width() == 2)
      data.set("grid", sprite(decoded(grid_codes(space_, affordable_side(), true), labels_of_rows(1))));
    data.set("samples", new_images());
    if (space_.width() > 1) data.set("ways", codes_ != nullptr ? traversals() : ways_between_samples());
  }

 private:
  using Labels = std::function<std::int32_t(std::int64_t row)>;

  const Node& node() const {
    const Graph& graph = learner_.model().graph;
    return graph.node(*graph.find(space_.node()));
  }

  std::int64_t affordable(std::int64_t wanted) const {
    return show::affordable(wanted, source_.shown().values_per_image());
  }
  std::int64_t affordable_ways(std::int64_t wanted) const {
    const std::int64_t pictures = affordable(std::min(wanted, most_ways) * steps_of_a_way);
    return std::max<std::int64_t>(pictures / steps_of_a_way, 1);
  }
  std::int64_t affordable_side() const {
    std::int64_t side = grid_side;
    while (side > 2 && affordable(side * side) < side * side) --side;
    return side;
  }

  std::int32_t label(std::int64_t number) const {
    return static_cast<std::int32_t>(number % std::max<std::int64_t>(label_count(source_), 1));
  }
  /// Every `rows` codes another label.
  Labels labels_of_rows(std::int64_t rows) const {
    return [this, rows](std::int64_t row) { return label(row / rows); };
  }

  Pictures decoded(const train::Codes& codes, const Labels& label_of) {
    train::Examples inputs;
    std::vector<std::int32_t> labels;
    for (std::int64_t row = 0; row < codes.count(); ++row) labels.push_back(label_of(row));
    for (const ModelInput& input : learner_.model().inputs)
      if (input.source == InputSource::labels && label_count(source_) > 0)
        inputs.columns[input.name] = {train::ColumnKind::i32_labels, 1, std::as_bytes(std::span(labels))};
    return pictures_of(space_.decode(codes, inputs), &source_.shown());
  }

  /// Units by how far apart the values of most images lie, or else those of the prior; the widest first.
  void order_units() {
    std::vector<double> spread;
    for (std::int64_t unit = 0; unit < space_.width(); ++unit) spread.push_back(spread_of(unit));
    units_.resize(spread.size());
    std::iota(units_.begin(), units_.end(), 0);
    std::stable_sort(units_.begin(), units_.end(), [&](std::int64_t a, std::int64_t b) {
      return spread[static_cast<std::size_t>(a)] > spread[static_cast<std::size_t>(b)];
    });
  }

  double spread_of(std::int64_t unit) const {
    if (codes_ == nullptr)
      return static_cast<double>(space_.quantile(unit, highest_share) - space_.quantile(unit, lowest_share));
    std::vector<float> values;
    for (std::int64_t row = 0; row < codes_->count(); ++row)
      values.push_back(codes_->row(row)[static_cast<std::size_t>(unit)]);
    std::sort(values.begin(), values.end());
    return static_cast<double>(values[values.size() * 9 / 10] - values[values.size() / 10]);
  }

  std::vector<float> quantiles(double share) const {
    std::vector<float> values;
    for (std::int64_t unit = 0; unit < space_.width(); ++unit) values.push_back(space_.quantile(unit, share));
    return values;
  }

  files::JsonObject latent() const {
    files::JsonObject object;
    object.set("width", space_.width())
        .set("mean", files::json_array(quantiles(0.5)))
        .set("low", files::json_array(quantiles(lowest_share)))
        .set("high", files::json_array(quantiles(highest_share)))
        .set("widest", files::json_array(std::span(units_).first(std::min<std::size_t>(units_.size(), 2))));
    if (principal_ && codes_ != nullptr)
      object.set("principal", files::JsonObject()
                                  .set("mean", files::json_array(principal_->mean))
                                  .set("first", files::json_array(principal_->first))
                                  .set("second", files::json_array(principal_->second)));
    return object;
  }

  files::JsonObject new_images() {
    const bool from_prior = space_.source() != train::CodeSource::training_codes;
    const train::Codes codes = space_.sample(affordable(samples), 0);
    files::JsonObject object = sprite(decoded(codes, labels_of_rows(1)));
    object.set("source", from_prior ? "samples of the prior"
                                    : "codes that are drawn unit by unit from those of training images");
    if (decoder_.needs_label) {
      std::vector<std::int32_t> labels;
      for (std::int64_t row = 0; row < codes.count(); ++row) labels.push_back(label(row));
      object.set("labels", files::json_array(labels));
    }
    if (from_prior && space_.width() <= widest_carried_code) object.set("codes", base64_of(codes.values));
    return object;
  }

  files::JsonObject traversals() {
    train::Codes codes{space_.width(), {}};
    std::vector<std::string> names;
    const train::Codes middle{space_.width(), quantiles(0.5)};
    for (const std::int64_t unit :
         std::span(units_).first(static_cast<std::size_t>(affordable_ways(space_.width())))) {
      append(codes, traversed_codes(space_, middle, unit, steps_of_a_way));
      names.push_back(fmt::format("unit {}", unit));
    }
    return ways(codes, names)
        .set("title", "Traversals")
        .set("about",
             "One unit of the code goes over its usual range while all others stay in the middle of theirs; "
             "first the units that differ most between images.");
  }

  /// A prior without codes has no unit that means more than another.
  files::JsonObject ways_between_samples() {
    train::Codes codes{space_.width(), {}};
    std::vector<std::string> names;
    const train::Codes ends = space_.sample(affordable_ways(most_ways) + 1, 0);
    for (std::int64_t row = 0; row + 1 < ends.count(); ++row) {
      append(codes, train::interpolated_codes(ends.row(row), ends.row(row + 1), steps_of_a_way));
      names.push_back(fmt::format("{} to {}", row, row + 1));
    }
    return ways(codes, names)
        .set("title", "Ways from sample to sample")
        .set("about", "Each row goes in even steps from one of the samples above to the next.");
  }

  static void append(train::Codes& codes, const train::Codes& more) {
    codes.values.insert(codes.values.end(), more.values.begin(), more.values.end());
  }

  files::JsonObject ways(const train::Codes& codes, const std::vector<std::string>& names) {
    return sprite(decoded(codes, labels_of_rows(steps_of_a_way)))
        .set("steps", steps_of_a_way)
        .set("rows", files::json_array(names));
  }

  train::Learner& learner_;
  const Source& source_;
  train::LatentSpace space_;
  PageDecoder decoder_;
  const std::optional<train::PrincipalPlane>& principal_;
  const train::Codes* codes_ =
      nullptr;  ///< of test images; null when the model has none of the decoder's size
  std::vector<std::int64_t> units_;
};

}  // namespace

void set_latent_space(files::JsonObject& data, train::Learner& learner, const Source& source,
                      const std::optional<train::Codes>& codes,
                      const std::optional<train::PrincipalPlane>& principal) {
  Showing(learner, source, codes, principal).show(data);
}

}  // namespace graphrun::show
