#include "train/gallery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/curves.hpp"
#include "train/latent_space.hpp"
#include "train/pictures.hpp"
#include "train/png.hpp"
#include "train/programs.hpp"
#include "train/scatter.hpp"

namespace graphrun::train {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t most_places = 10'000;
constexpr std::int64_t most_values = 4'000'000;  ///< of all codes: so that wide ones are drawn in a moment
constexpr std::int64_t grid_side = 20;
constexpr std::int64_t samples = 64;
constexpr std::size_t most_filters = 128;
constexpr std::size_t columns = 16;

class Drawing {
 public:
  Drawing(Learner& learner, const GallerySource& source, const fs::path& folder)
      : learner_(learner), source_(source), folder_(folder) {}

  Gallery draw() {
    attempt("codes", [&] { draw_codes(); });
    attempt("new images", [&] { draw_new_images(); });
    attempt("filters", [&] { draw_filters(); });
    attempt("curves", [&] { draw_run(); });
    return std::move(gallery_);
  }

 private:
  /// A model may lack what a picture shows; then the others are drawn all the same.
  template <class Draw>
  void attempt(const char* what, Draw draw) {
    try {
      draw();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::usage) throw;
      gallery_.notes.push_back(fmt::format("no picture of {}: {}", what, error.what()));
    }
  }

  bool has(const char* role) const {
    const std::vector<std::string>& roles = learner_.model().roles;
    return std::find(roles.begin(), roles.end(), role) != roles.end();
  }

  const ImageSet& shown() const {
    return source_.data.test.count > 0 ? source_.data.test : source_.data.train;
  }

  void draw_codes() {
    if (!has("code")) return;
    const Codes codes = codes_of_shown();
    const Plane plane = plane_of(codes);
    const std::span<const std::uint8_t> labels =
        std::span(shown().labels).first(std::min(shown().labels.size(), plane.x.size()));
    const std::vector<std::string> names = class_names(source_.data.name);
    save("codes.png", draw_scatter(plane, labels, names));
    save("codes-images.png", draw_image_scatter(plane, shown()));
  }

  Codes codes_of_shown() {
    const ModelDefinition& model = learner_.model();
    const Type& type = model.graph.node(model.graph.output("code")).type;
    if (type.shape.empty() || !type.shape.front().is_batch())
      throw Error(ErrorCode::usage,
                  fmt::format("output 'code' is {}: it has no row for each image", to_string(type)));
    const std::int64_t width = std::max<std::int64_t>(1, element_count(bind(type.shape, std::int64_t{1})));
    const std::int64_t count = std::clamp<std::int64_t>(most_values / width, 1, most_places);
    const OutputValues values = learner_.run({"code"}, first_of(source_.test, count)).front();
    const std::span<const float> floats = as_floats(values);
    return {width, {floats.begin(), floats.end()}};
  }

  void draw_new_images() {
    if (!has("image") || !(has("code") || has("latent"))) return;
    LatentSpace space(learner_);
    const bool has_prior = space.source() != CodeSource::training_codes;
    if (has_prior)
      save_sheet("samples.png", pictures_of(space.decode(space.sample(samples, 0)), &shown()), columns);
    if (space.width() != 2) return;
    space.measure(source_.train);
    save_sheet("grid.png", pictures_of(space.decode(grid_codes(space, grid_side, !has_prior)), &shown()),
               static_cast<std::size_t>(grid_side));
  }

  void draw_filters() {
    const auto pixels = static_cast<std::int64_t>(shown().values_per_image());
    for (const auto* variable : learner_.variables().all()) {
      if (!variable->trainable || variable->extents.size() != 2 || variable->extents[0] != pixels) continue;
      const std::size_t units = std::min(static_cast<std::size_t>(variable->extents[1]), most_filters);
      const ImageSet& images = shown();
      save_sheet("filters.png",
                 {units, images.height, images.width, images.channels,
                  filter_pixels(variable->values, images.values_per_image(),
                                static_cast<std::size_t>(variable->extents[1]), most_filters)},
                 columns);
      return;
    }
  }

  void draw_run() {
    if (source_.metrics.empty() || !fs::exists(source_.metrics)) return;
    const std::vector<Curve> curves = read_curves(source_.metrics);
    if (!curves.empty()) save("curves.png", draw_curves(curves));
  }

  void save(const char* name, const Image& image) {
    write_png(folder_ / name, image);
    gallery_.files.push_back(folder_ / name);
  }
  void save_sheet(const char* name, const Pictures& pictures, std::size_t beside) {
    write_sheet(folder_ / name, {pictures}, beside);
    gallery_.files.push_back(folder_ / name);
  }

  Learner& learner_;
  const GallerySource& source_;
  const fs::path& folder_;
  Gallery gallery_;
};

}  // namespace

Gallery draw_gallery(Learner& learner, const GallerySource& source, const fs::path& folder) {
  return Drawing(learner, source, folder).draw();
}

std::vector<std::uint8_t> filter_pixels(std::span<const float> weights, std::size_t pixels, std::size_t units,
                                        std::size_t most) {
  std::vector<std::uint8_t> result;
  for (std::size_t unit = 0; unit < std::min(units, most); ++unit) {
    float largest = 0;
    for (std::size_t pixel = 0; pixel < pixels; ++pixel)
      largest = std::max(largest, std::abs(weights[pixel * units + unit]));
    for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
      const float share = largest > 0 ? weights[pixel * units + unit] / largest : 0.0F;
      result.push_back(static_cast<std::uint8_t>(std::lround(127.5F + 127.5F * share)));
    }
  }
  return result;
}

}  // namespace graphrun::train
