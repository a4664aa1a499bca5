#include "show/draw/gallery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "files/png/png.hpp"
#include "ops/op.hpp"
#include "show/draw/curve_panels.hpp"
#include "show/draw/filters.hpp"
#include "show/draw/matrix.hpp"
#include "show/draw/pictures.hpp"
#include "show/draw/reconstruction.hpp"
#include "show/draw/row_view.hpp"
#include "show/draw/scatter.hpp"
#include "train/learn/programs.hpp"
#include "train/measure/latent_space.hpp"

namespace graphrun::show {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t most_places = 10'000;
constexpr std::int64_t most_values = 4'000'000;  ///< of all codes: so that wide ones are drawn in a moment
constexpr std::int64_t grid_side = 20;
constexpr std::int64_t samples = 64;
constexpr std::int64_t rows_of_classes = 8;
constexpr std::int64_t images_on_sheet = 32;
constexpr std::size_t columns = 16;
constexpr std::size_t smallest_filter = 48;  ///< pixels of the sheet that a side of it takes

/// Labels 0, 1, … in turn for every input that takes labels.
class LabelColumns {
 public:
  LabelColumns(const ModelDefinition& model, std::int64_t count, std::int64_t classes) {
    if (classes == 0) return;
    for (std::int64_t i = 0; i < count; ++i) labels_.push_back(static_cast<std::int32_t>(i % classes));
    for (const ModelInput& input : model.inputs)
      if (input.source == InputSource::labels)
        examples_.columns[input.name] = {train::ColumnKind::i32_labels, 1, std::as_bytes(std::span(labels_))};
  }
  LabelColumns(const LabelColumns&) = delete;
  LabelColumns& operator=(const LabelColumns&) = delete;
  const train::Examples& examples() const { return examples_; }

 private:
  std::vector<std::int32_t> labels_;
  train::Examples examples_;
};

class Drawing {
 public:
  Drawing(train::Learner& learner, const Source& source, const fs::path& folder)
      : learner_(learner), source_(source), folder_(folder) {}

  Gallery draw() {
    attempt("reconstructions", [&] {
      if (draws_images(learner_.model(), shown())) save_reconstructions("reconstruction.png");
    });
    attempt("codes", [&] { draw_codes(); });
    attempt("samples", [&] { draw_samples("samples.png"); });
    attempt("the plane of codes", [&] { draw_grid(); });
    attempt("filters", [&] { draw_filters(); });
    attempt("scores", [&] { draw_rows(); });
    attempt("classes", [&] { draw_classes(); });
    attempt("curves", [&] { draw_run(); });
    return std::move(gallery_);
  }

  fs::path draw_progress() {
    const std::uint64_t step = learner_.state().step;
    attempt("progress", [&] {
      if (draws_images(learner_.model(), shown()))
        save_reconstructions(fmt::format("reconstruction-{:06}.png", step));
      else
        draw_samples(fmt::format("samples-{:06}.png", step));
    });
    return gallery_.files.empty() ? fs::path() : gallery_.files.front();
  }

 private:
  /// A model may lack what a picture shows; then the others are drawn all the same.
  template <class Draw>
  void attempt(const char* what, Draw draw) {
    try {
      draw();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::usage) throw;
      gallery_.notes.push_back(fmt::format("no picture of {}: {}", what, error.message()));
    }
  }

  bool has(const char* role) const { return learner_.model().role(role).has_value(); }

  const train::ImageSet& shown() const { return source_.shown(); }

  void save_reconstructions(const std::string& name) {
    const Reconstruction made = reconstruct(learner_, source_.test, shown(), images_on_sheet);
    std::vector<Pictures> lists;
    for (NamedPictures& list : pictures_of(made, shown())) lists.push_back(std::move(list.pictures));
    write_sheet(folder_ / name, lists);
    gallery_.files.push_back(folder_ / name);
  }

  void draw_codes() {
    if (!has("code")) return;
    const train::Codes codes = first_codes(learner_, source_.test, most_places, most_values);
    const train::Plane plane = plane_of(codes);
    const std::span<const std::int32_t> labels =
        std::span(shown().labels).first(std::min(shown().labels.size(), plane.x.size()));
    save("codes.png", draw_scatter(plane, labels, source_.class_names()));
    if (shown().are_pictures) save("codes-images.png", draw_image_scatter(plane, shown()));
  }

  /// Of a model that is told labels, each column has another one.
  void draw_samples(const std::string& name) {
    if (!shown().are_pictures || !train::makes_images(learner_.model())) return;
    train::LatentSpace space(learner_);
    if (space.source() == train::CodeSource::training_codes) return;
    const std::int64_t classes = most_classes_beside_each_other();
    const std::int64_t beside = classes > 0 ? classes : static_cast<std::int64_t>(columns);
    const std::int64_t count = classes > 0 ? classes * rows_of_classes : samples;
    const LabelColumns labels(learner_.model(), count, classes);
    save_sheet(name, pictures_of(space.decode(space.sample(count, 0), labels.examples()), &shown()),
               static_cast<std::size_t>(beside));
  }

  /// 0 when there are no labels.
  std::int64_t most_classes_beside_each_other() const {
    constexpr std::int32_t most = 20;
    const std::vector<std::int32_t>& labels = source_.data.train.labels;
    if (labels.empty() || !needs_labels()) return 0;
    return std::min(most, *std::max_element(labels.begin(), labels.end()) + 1);
  }

  bool needs_labels() const {
    const ModelDefinition& model = learner_.model();
    const train::LatentSpace space(learner_);
    const train::Program program =
        train::role_program(model, ops::registry(), {{"image", *model.role("image")}}, {space.node()});
    return std::any_of(program.inputs.begin(), program.inputs.end(), [&](const train::ProgramInput& needed) {
      return std::any_of(model.inputs.begin(), model.inputs.end(), [&](const ModelInput& input) {
        return input.name == needed.name && input.source == InputSource::labels;
      });
    });
  }

  void draw_grid() {
    if (!shown().are_pictures || !train::makes_images(learner_.model())) return;
    train::LatentSpace space(learner_);
    if (space.width() != 2) return;
    space.measure(source_.train);
    const bool even = space.source() == train::CodeSource::training_codes;
    save_sheet("grid.png", pictures_of(space.decode(grid_codes(space, grid_side, even)), &shown()),
               static_cast<std::size_t>(grid_side));
  }

  void draw_filters() {
    if (!shown().are_pictures) return;
    const std::optional<Filters> filters = first_filters(learner_.variables(), shown());
    if (!filters) return;
    const std::size_t side = std::max(filters->pictures.height, filters->pictures.width);
    write_sheet(folder_ / "filters.png", {filters->pictures}, columns,
                std::max<std::size_t>(2, smallest_filter / side));
    gallery_.files.push_back(folder_ / "filters.png");
  }

  void draw_rows() {
    const std::optional<RowView> view = row_view(learner_, source_);
    if (!view) return;
    std::vector<Diagram> diagrams{score_histogram(*view)};
    for (Diagram& diagram : detection_diagrams(*view)) diagrams.push_back(std::move(diagram));
    save("scores.png", draw_diagrams(diagrams));
    const std::vector<Diagram> series = series_diagrams(*view, learner_.model().data->table->fitted);
    if (!series.empty()) save("series.png", draw_diagrams(series));
    save("worst.png", draw_worst(*view, learner_.model().data->table->fitted));
    if (const std::optional<ClassView> flagged = flagged_view(*view))
      save("flagged.png", draw_matrix(*flagged));
  }

  void draw_classes() {
    const std::vector<ClassView> views = class_views(learner_, source_);
    for (const ClassView& view : views)
      if (view.confusion.classes <= most_drawn_classes)
        save(views.size() == 1 ? "classes.png" : fmt::format("classes-{}.png", view.name), draw_matrix(view));
  }

  void draw_run() {
    if (source_.metrics.empty() || !fs::exists(source_.metrics)) return;
    const std::vector<Curve> curves = read_curves(source_.metrics);
    if (!curves.empty()) save("curves.png", draw_curves(curves, read_stages(source_.metrics)));
  }

  void save(const std::string& name, const files::Image& image) {
    files::write_png(folder_ / name, image);
    gallery_.files.push_back(folder_ / name);
  }
  void save_sheet(const std::string& name, const Pictures& pictures, std::size_t beside) {
    write_sheet(folder_ / name, {pictures}, beside);
    gallery_.files.push_back(folder_ / name);
  }

  train::Learner& learner_;
  const Source& source_;
  const fs::path& folder_;
  Gallery gallery_;
};

}  // namespace

Gallery draw_gallery(train::Learner& learner, const Source& source, const fs::path& folder) {
  return Drawing(learner, source, folder).draw();
}

fs::path draw_progress(train::Learner& learner, const Source& source, const fs::path& folder) {
  return Drawing(learner, source, folder).draw_progress();
}

}  // namespace graphrun::show
