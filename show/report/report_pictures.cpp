#include "show/report/report_pictures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "show/draw/canvas.hpp"
#include "show/draw/filters.hpp"
#include "show/draw/gallery.hpp"
#include "show/draw/pictures.hpp"
#include "show/draw/ranking.hpp"
#include "show/draw/reconstruction.hpp"
#include "show/draw/scatter.hpp"
#include "show/report/report_latent.hpp"
#include "show/report/sprite.hpp"
#include "train/datasets/tables/column_scale.hpp"
#include "train/measure/latent_space.hpp"

namespace graphrun::show {

namespace {

constexpr std::int64_t reconstructions = 32;
constexpr std::int64_t most_places = 2'000;
constexpr std::int64_t most_code_values = 600'000;  ///< of all codes that are looked at
constexpr std::int64_t shown_filters = 64;

std::string hexadecimal(Colour colour) {
  return fmt::format("#{:02x}{:02x}{:02x}", colour.red, colour.green, colour.blue);
}

class Showing {
 public:
  Showing(files::JsonObject& data, train::Learner& learner, const Source& source,
          std::vector<std::string>& notes)
      : data_(data), learner_(learner), source_(source), notes_(notes) {}

  void show() {
    set_names();
    attempt("reconstructions", [&] { show_reconstructions(); });
    attempt("codes", [&] { show_codes(); });
    attempt("new images", [&] { show_latent_space(); });
    show_filters();
  }

 private:
  /// A model may lack what a part shows; then the others are shown all the same.
  template <class Show>
  void attempt(const char* what, Show show) {
    try {
      show();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::usage) throw;
      notes_.push_back(fmt::format("No {}: {}", what, error.what()));
    }
  }

  bool has(const char* role) const { return learner_.model().role(role).has_value(); }

  const train::ImageSet& shown() const { return source_.shown(); }

  std::int64_t affordable(std::int64_t wanted) const {
    return show::affordable(wanted, shown().values_per_image());
  }

  files::JsonArray labels_of_shown(std::size_t count) const {
    return files::json_array(std::span(shown().labels).first(count));
  }

  void set_names() {
    files::JsonArray colours;
    for (int label = 0; label < 10; ++label) colours.add(hexadecimal(class_colour(label)));
    data_.set("label_names", files::json_array(source_.class_names())).set("colours", colours);
    if (!shown().are_pictures) return;
    data_.set("images", files::JsonObject()
                            .set("height", shown().height)
                            .set("width", shown().width)
                            .set("channels", shown().channels));
  }

  void show_reconstructions() {
    if (!draws_images(learner_.model(), shown())) return;
    const std::size_t largest = std::max(values_per_image(learner_.model()), shown().values_per_image());
    const std::int64_t count = show::affordable(reconstructions, largest);
    const Reconstruction made = reconstruct(learner_, source_.test, shown(), count);
    files::JsonArray lists;
    std::size_t drawn = 0;
    for (const NamedPictures& list : pictures_of(made, shown())) {
      lists.add(sprite(list.pictures).set("name", list.name));
      drawn = list.pictures.count;
    }
    files::JsonObject object;
    object.set("lists", lists)
        .set("of", source_.data.test.count > 0 ? "test" : "training")
        .set("errors", files::json_array(image_errors(learner_, first_of(source_.test, count), shown())));
    if (shown().has_labels()) object.set("labels", labels_of_shown(drawn));
    data_.set("reconstruction", object);
  }

  // ---- Codes ----

  void show_codes() {
    if (!has("code")) return;
    codes_ = first_codes(learner_, source_.test, most_places, most_code_values);
    if (codes_->width > 2) principal_ = principal_plane(*codes_);
    const train::Plane plane = principal_ ? plane_of(*codes_, *principal_) : plane_of(*codes_);
    files::JsonObject object;
    object.set("width", codes_->width)
        .set("x", files::json_array(plane.x))
        .set("y", files::json_array(plane.y))
        .set("x_name", plane.x_name)
        .set("y_name", plane.y_name);
    if (shown().has_labels()) object.set("labels", labels_of_shown(plane.x.size()));
    const auto places = static_cast<std::int64_t>(plane.x.size());
    if (shown().are_pictures)
      object.set("thumbnails", sprite(first_pictures(shown(), static_cast<std::size_t>(affordable(places)))));
    if (shown().is_table && shown().window_rows.empty())
      object.set("columns", columns_of_codes(plane.x.size()));
    if (codes_->width <= widest_carried_code) object.set("values", base64_of(codes_->values));
    const std::string noun(shown().noun());
    object.set("of", (shown().are_pictures ? "test " : "") + noun)
        .set("one", (shown().are_pictures ? "test " : "") + noun.substr(0, noun.size() - 1));
    data_.set("codes", object);
  }

  /// What codes may be coloured by: of each number its values, of each category the places of its.
  files::JsonArray columns_of_codes(std::size_t count) const {
    files::JsonArray columns;
    std::size_t cell = 0;
    for (const FittedColumn& column : learner_.model().data->table->fitted) {
      if (column.cells() == 0) continue;
      files::JsonArray values;
      for (std::size_t row = 0; row < count; ++row) {
        const std::size_t at = row * shown().width + cell;
        values.add(value_of(column, at));
      }
      files::JsonObject object;
      object.set("name", column.name).set("values", values);
      if (column.is_category) object.set("names", files::json_array(column.values));
      columns.add(object);
      cell += column.cells();
    }
    return columns;
  }

  files::JsonValue value_of(const FittedColumn& column, std::size_t at) const {
    if (!shown().mask.empty() && shown().mask[at] == 0) return files::JsonValue(nullptr);
    const std::span<const float> cells = std::span(shown().values).subspan(at, column.cells());
    if (column.is_category) return static_cast<std::int64_t>(std::ranges::max_element(cells) - cells.begin());
    return static_cast<double>(static_cast<float>(train::unscaled(column, static_cast<double>(cells[0]))));
  }

  // ---- The space of codes ----

  void show_latent_space() {
    if (!(has("code") || has("latent")) || !makes_images_like(learner_.model(), shown())) return;
    if (train::makes_images(learner_.model()))
      set_latent_space(data_, learner_, source_, codes_, principal_);
    else
      data_.set("decoder_note", "its codes are indices, not numbers");
  }

  void show_filters() {
    if (!shown().are_pictures) return;
    const std::optional<Filters> filters = first_filters(learner_.variables(), shown());
    if (!filters) return;
    const auto count = static_cast<std::size_t>(affordable(shown_filters));
    data_.set("filters", sprite(first_of(filters->pictures, count)).set("of", filters->variable));
  }

  files::JsonObject& data_;
  train::Learner& learner_;
  const Source& source_;
  std::vector<std::string>& notes_;
  std::optional<train::Codes> codes_;               ///< of test images
  std::optional<train::PrincipalPlane> principal_;  ///< of codes of more than two units
};

}  // namespace

void set_pictures(files::JsonObject& data, train::Learner& learner, const Source& source,
                  std::vector<std::string>& notes) {
  Showing(data, learner, source, notes).show();
}

}  // namespace graphrun::show
