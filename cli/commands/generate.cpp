#include <fmt/format.h>

#include <filesystem>

#include "cli/arguments.hpp"
#include "cli/array_file.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/examples_source.hpp"
#include "cli/finite.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "cli/output/figures_text.hpp"
#include "graphrun/error.hpp"
#include "show/draw/pictures.hpp"
#include "train/measure/latent_space.hpp"

namespace graphrun::cli {

namespace {

constexpr std::int64_t default_samples = 64;
constexpr std::int64_t default_rows = 8;  ///< of a traversal
constexpr std::int64_t most_images = 100'000;
constexpr std::int64_t most_columns = 100;
constexpr const char* of_test_images = "codes of test images";

/// Codes, and how the images made of them are laid out.
struct Layout {
  train::Codes codes;
  std::int64_t columns = 0;
  std::string name;    ///< of the picture
  std::string source;  ///< of the codes
};

class GenerateCommand final : public Command {
 public:
  std::string name() const override { return "generate"; }
  std::string about() const override {
    return "Makes new images: samples, a grid over a code of two units, ways between images.";
  }
  void declare(Arguments& arguments) override {
    trained_.declare(arguments);
    arguments.flag("--grid", grid_, "decode a grid over the plane of a code of two units");
    arguments.option("--spacing", spacing_, "NAME",
                     "of the grid: even, or quantiles (default: quantiles if the model has a prior)");
    arguments.pair("--interpolate", between_, "A B", "the way from test image A to test image B, from 0");
    arguments.option("--traverse", unit_, "UNIT", "change one unit of the codes over its range, from 0");
    arguments.option("--count", count_, "N", "samples (default 64), or rows of a traversal (default 8)");
    arguments.option("--columns", columns_, "N",
                     "images beside each other (default 16; grid 20, traversal and interpolation 12)");
    arguments.option("--out", out_, "FILE",
                     "the PNG, .npy or .csv (default: samples.png, grid.png, … in the run directory)");
    arguments.option("--input", inputs_, "NAME=VALUE",
                     "a value for an input, the same for all images; repeatable");
  }

  int run(Context& context) override {
    check();
    TrainedModel trained = open_trained(trained_, context.flags, context.console,
                                        {.outputs = {"image", "prior"}, .given = {"latent"}});
    train::LatentSpace space(trained.learner);
    const Layout layout = lay_out(space, trained, context);
    train::Examples inputs;
    inputs.count = layout.codes.count();
    add_constant_inputs(inputs, *trained.model, inputs_, space.node());
    const train::OutputValues images = space.decode(layout.codes, inputs);
    require_finite(images);
    const std::string out = out_.empty() ? default_output(trained_, layout.name + ".png") : out_;
    write(out, images, layout.columns);
    const std::int64_t count = layout.codes.count();
    return answer(context,
                  files::JsonObject().set("file", out).set("count", count).set("codes", layout.source),
                  fmt::format("{} images from the {}: {}\n", files::grouped(count), layout.source, out));
  }

 private:
  void check() const {
    if ((grid_ ? 1 : 0) + (between_.empty() ? 0 : 1) + (unit_ ? 1 : 0) > 1)
      throw Error(ErrorCode::usage,
                  "--grid, --interpolate and --traverse are pictures of their own: take one");
    if (!spacing_.empty() && !grid_) throw Error(ErrorCode::usage, "--spacing is of a grid: add --grid");
    if (!spacing_.empty() && spacing_ != "even" && spacing_ != "quantiles")
      throw Error(ErrorCode::usage, fmt::format("--spacing {}: there are even and quantiles", spacing_));
    if (count_ && (grid_ || !between_.empty()))
      throw Error(ErrorCode::usage, "--count is of samples and traversals; here, --columns says how many");
    if (count_ && (*count_ < 1 || *count_ > most_images))
      throw Error(ErrorCode::usage, fmt::format("--count {}: there may be 1 to {}", *count_, most_images));
    const std::int64_t fewest = grid_ || unit_ || !between_.empty() ? 2 : 1;
    if (columns_ && (*columns_ < fewest || *columns_ > most_columns))
      throw Error(ErrorCode::usage,
                  fmt::format("--columns {}: there may be {} to {}", *columns_, fewest, most_columns));
    if (!out_.empty() && std::filesystem::path(out_).extension() != ".png") require_array_name(out_);
  }

  Layout lay_out(train::LatentSpace& space, TrainedModel& trained, Context& context) {
    if (!between_.empty()) return interpolation(space, *trained.model, context);
    const bool needs_images = space.source() == train::CodeSource::training_codes;
    space.measure(needs_images ? images_of(*trained.model, "train", context).examples : train::Examples{});
    if (grid_) return grid(space);
    if (unit_) return traversal(space, *trained.model, context);
    return {space.sample(count_.value_or(default_samples), seed(context)), columns_.value_or(16), "samples",
            train::to_string(space.source())};
  }

  Layout grid(const train::LatentSpace& space) const {
    const std::int64_t side = columns_.value_or(20);
    const bool even =
        spacing_.empty() ? space.source() == train::CodeSource::training_codes : spacing_ == "even";
    return {train::grid_codes(space, side, even), side, "grid", train::to_string(space.source())};
  }

  Layout interpolation(train::LatentSpace& space, const ModelDefinition& model, Context& context) const {
    const train::Codes codes = space.encode(images_of(model, "test", context).examples);
    for (const std::int64_t index : between_)
      if (index < 0 || index >= codes.count())
        throw Error(ErrorCode::usage,
                    fmt::format("--interpolate {} {}: there are {} test images, 0 to {}", between_[0],
                                between_[1], codes.count(), codes.count() - 1));
    const std::int64_t steps = columns_.value_or(12);
    return {train::interpolated_codes(codes.row(between_[0]), codes.row(between_[1]), steps), steps,
            fmt::format("interpolation-{}-{}", between_[0], between_[1]), of_test_images};
  }

  /// Around the codes of test images, or around samples where images have no codes.
  Layout traversal(train::LatentSpace& space, const ModelDefinition& model, Context& context) const {
    const std::int64_t rows = count_.value_or(default_rows);
    const bool has_codes = model.role("code").has_value();
    const train::Codes base =
        has_codes ? space.encode(train::first_of(images_of(model, "test", context).examples, rows))
                  : space.sample(rows, seed(context));
    const std::int64_t steps = columns_.value_or(12);
    return {train::traversed_codes(space, base, *unit_, steps), steps, fmt::format("traversal-{}", *unit_),
            has_codes ? of_test_images : train::to_string(space.source())};
  }

  NamedExamples images_of(const ModelDefinition& model, const std::string& split, Context& context) const {
    ExamplesFlags source;
    source.split = split;
    source.inputs = inputs_;
    return source.load(model, context.console);
  }

  static std::uint64_t seed(const Context& context) { return context.flags.seed.value_or(0); }

  static void write(const std::string& out, const train::OutputValues& images, std::int64_t columns) {
    if (std::filesystem::path(out).extension() == ".png")
      show::write_sheet(out, {show::pictures_of(images)}, static_cast<std::size_t>(columns));
    else
      write_array(out, images);
  }

  TrainedFlags trained_;
  bool grid_ = false;
  std::string spacing_;
  std::vector<std::int64_t> between_;
  std::optional<std::int64_t> unit_;
  std::optional<std::int64_t> count_;
  std::optional<std::int64_t> columns_;
  std::string out_;
  std::vector<std::string> inputs_;
};

}  // namespace

std::unique_ptr<Command> generate_command() {
  return std::make_unique<GenerateCommand>();
}

}  // namespace graphrun::cli
