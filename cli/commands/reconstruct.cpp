#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/array_file.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/examples_source.hpp"
#include "cli/finite.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "cli/output/table_reconstruction.hpp"
#include "cli/suggest.hpp"
#include "errors/printable.hpp"
#include "files/csv.hpp"
#include "files/number_text.hpp"
#include "graphrun/error.hpp"
#include "show/draw/ranking.hpp"
#include "show/draw/reconstruction.hpp"

namespace graphrun::cli {

namespace {

namespace fs = std::filesystem;

class ReconstructCommand final : public Command {
 public:
  std::string name() const override { return "reconstruct"; }
  std::string about() const override {
    return "Draws a sheet: originals, corrupted inputs if the model has them, and reconstructions; or writes "
           "the rows of a table as the model draws them.";
  }
  void declare(Arguments& arguments) override {
    trained_.declare(arguments);
    source_.declare(arguments);
    arguments.option(
        "--out", out_, "FILE",
        "the PNG, or .npy or .csv for the values (default: reconstruction.png in the run directory)");
    arguments.option("--errors", errors_, "FILE",
                     "a CSV with the mean squared error of every image; of every row, also how far off each "
                     "column is, in its unit");
    arguments.option("--rank", rank_, "NAME",
                     "worst or best: of all images or rows, the 32 of the highest or least error");
    arguments.option("--anomaly", anomaly_, "LABEL",
                     "with --rank: how well the error tells those of this label from others, as ROC-AUC");
    arguments.option("--columns", columns_, "N", "images beside each other (default 16)");
  }
  int run(Context& context) override {
    check();
    TrainedModel trained = open_trained(trained_, context.flags, context.console,
                                        {.outputs = {"image", "noisy", "row", "loss"}});
    require_drawing(*trained.model);
    const NamedExamples data = source_.load(*trained.model, context.console);
    return draws_rows(*trained.model) ? of_rows(context, trained.learner, data)
                                      : of_images(context, trained.learner, data);
  }

 private:
  static constexpr std::int64_t default_count = 32;

  /// Numbers of the images that are shown, and the error of each image; none when nobody asks for them.
  struct Ranking {
    std::vector<std::size_t> shown;
    std::vector<double> errors;
    std::optional<double> auc;
  };

  /// A model that says something of rows draws none.
  static void require_drawing(const ModelDefinition& model) {
    const bool is_table = model.data && model.data->table;
    if (!is_table || model.role("row") || model.role("image")) return;
    throw Error(
        ErrorCode::usage,
        fmt::format("model '{}' draws no rows: it has no output `row`; `graphrun predict` writes what "
                    "it says of them",
                    model.name));
  }

  int of_images(const Context& context, train::Learner& learner, const NamedExamples& data) const {
    const std::string out = output_for(learner.model(), *data.images);
    const show::Reconstruction result =
        show::reconstruct(learner, data.examples, *data.images, count(data, out));
    require_finite(result.image);
    const Ranking ranking = ranked(learner, data);
    if (is_array(out))
      write_array(out, result.image, labels_of(data, result), beside(result, *data.images));
    else
      show::write_sheet(out, lists_of(result, ranking, *data.images),
                        static_cast<std::size_t>(columns_.value_or(16)));
    if (!errors_.empty()) write_errors(ranking.errors, *data.images);
    return answer(context, json_of(result, ranking, data, out), text_of(result, ranking, data, out));
  }

  int of_rows(const Context& context, train::Learner& learner, const NamedExamples& data) const {
    if (!out_.empty()) require_array_name(out_);
    TableReconstruction rows(learner, data);
    const std::string out = out_.empty() ? default_output(trained_, "reconstruction.csv") : out_;
    Ranking ranking;
    if (!rank_.empty()) rank(ranking, rows.errors(), *data.images);
    rows.write(out);
    if (!errors_.empty()) rows.write_errors(errors_);
    files::JsonObject object;
    object.set("file", out).set("count", rows.errors().size()).set("mse", rows.mean_squared_error());
    std::string text =
        fmt::format("{} rows of {}, mean squared error of a scaled cell {:.5g}: {}\n",
                    files::grouped(data.examples.count), data.name, rows.mean_squared_error(), out);
    files::JsonArray shown;
    for (const std::size_t row : ranking.shown) {
      files::JsonObject one;
      one.set("row", row + 1).set("mse", rows.errors()[row]);
      text += fmt::format("row {:>8}  error {:.5g}", row + 1, rows.errors()[row]);
      if (const std::optional<std::string> label = rows.label(row)) {
        one.set("label", data.images->labels[row]);
        text += fmt::format("  label {}", printable(*label));
      }
      text += fmt::format("  {}\n", rows.differences(row));
      shown.add(one);
    }
    if (!rank_.empty()) object.set("ranked", shown);
    if (ranking.auc) {
      object.set("roc_auc", *ranking.auc);
      text += auc_text(*ranking.auc);
    }
    return answer(context, object, text);
  }

  std::string auc_text(double auc) const {
    return fmt::format("ROC-AUC of label {}: {:.4f}\n", anomaly_, auc);
  }

  void check() const {
    if (columns_ && (*columns_ < 1 || *columns_ > 1000))
      throw Error(ErrorCode::usage, fmt::format("--columns {}: there may be 1 to 1000", *columns_));
    if (!rank_.empty() && rank_ != "worst" && rank_ != "best")
      throw Error(ErrorCode::usage, fmt::format("--rank {}: there are worst and best", rank_));
    if (!anomaly_.empty() && rank_.empty())
      throw Error(ErrorCode::usage, "--anomaly is about errors of all images: add --rank worst");
    if (!errors_.empty() && fs::path(errors_).extension() != ".csv")
      throw Error(ErrorCode::usage, fmt::format("--errors {}: the name must end in .csv", errors_));
    if (!out_.empty() && fs::path(out_).extension() != ".png") require_array_name(out_);
  }

  static bool is_array(const std::string& out) { return fs::path(out).extension() != ".png"; }

  /// Measurements are numbers to be used, not pictures to be looked at.
  std::string output_for(const ModelDefinition& model, const train::ImageSet& images) const {
    if (!out_.empty()) return out_;
    const bool draws = model.role("image") ? show::draws_images(model, images) : images.are_pictures;
    return default_output(trained_, draws ? "reconstruction.png" : "reconstruction.npy");
  }

  /// What the model was given and what it was to draw, where these are two things.
  static std::vector<NamedRows> beside(const show::Reconstruction& result, const train::ImageSet& images) {
    if (!result.target) return {};
    const auto rows = static_cast<std::size_t>(result.image.extents.front());
    NamedRows input{"input", {}};
    for (std::size_t i = 0; i < rows * images.values_per_image(); ++i)
      input.values.push_back(static_cast<float>(images.value(i)));
    const std::span<const float> target = as_floats(*result.target);
    return {std::move(input), {"target", {target.begin(), target.end()}}};
  }

  std::int64_t count(const NamedExamples& data, const std::string& out) const {
    const bool shows_some = rank_.empty() && !is_array(out);
    return std::min(data.examples.count,
                    source_.first.value_or(shows_some ? default_count : data.examples.count));
  }

  static std::span<const std::int32_t> labels_of(const NamedExamples& data,
                                                 const show::Reconstruction& result) {
    if (!data.images->has_labels()) return {};
    return std::span(data.images->labels).first(static_cast<std::size_t>(result.image.extents.front()));
  }

  void write_errors(const std::vector<double>& errors, const train::ImageSet& images) const {
    std::vector<std::string> names{"image", "mse"};
    if (images.has_labels()) names.emplace_back(files::label_column);
    std::vector<float> table;
    for (std::size_t i = 0; i < errors.size(); ++i) {
      table.insert(table.end(), {static_cast<float>(i), static_cast<float>(errors[i])});
      if (images.has_labels()) table.push_back(static_cast<float>(images.labels[i]));
    }
    files::write_csv(errors_, names, names.size(), table);
  }

  Ranking ranked(train::Learner& learner, const NamedExamples& data) const {
    Ranking ranking;
    if (rank_.empty() && errors_.empty()) return ranking;
    ranking.errors = show::image_errors(learner, data.examples, *data.images);
    if (!rank_.empty()) rank(ranking, ranking.errors, *data.images);
    return ranking;
  }

  void rank(Ranking& ranking, const std::vector<double>& errors, const train::ImageSet& images) const {
    ranking.shown = show::highest_first(errors);
    if (rank_ == "best") std::reverse(ranking.shown.begin(), ranking.shown.end());
    ranking.shown.resize(std::min(ranking.shown.size(), static_cast<std::size_t>(default_count)));
    if (anomaly_.empty()) return;
    const std::int32_t label = sought_label(images);
    std::vector<bool> sought;
    for (std::size_t i = 0; i < errors.size(); ++i) sought.push_back(images.labels[i] == label);
    ranking.auc = show::roc_auc(errors, sought);
  }

  /// By its name or number.
  std::int32_t sought_label(const train::ImageSet& images) const {
    if (!images.has_labels()) throw Error(ErrorCode::data, "--anomaly needs labels: add --labels FILE");
    const auto named = std::find(images.class_names.begin(), images.class_names.end(), anomaly_);
    if (named != images.class_names.end())
      return static_cast<std::int32_t>(named - images.class_names.begin());
    if (const auto number = files::number_in<std::int32_t>(anomaly_)) return *number;
    throw Error(ErrorCode::usage,
                fmt::format("--anomaly {}: it is neither a number nor the name of a label{}", anomaly_,
                            did_you_mean(anomaly_, images.class_names)));
  }

  std::vector<show::Pictures> lists_of(const show::Reconstruction& result, const Ranking& ranking,
                                       const train::ImageSet& images) const {
    std::vector<show::Pictures> lists;
    for (const show::NamedPictures& list : show::pictures_of(result, images))
      lists.push_back(rank_.empty() ? list.pictures : show::picked(list.pictures, ranking.shown));
    return lists;
  }

  files::JsonObject json_of(const show::Reconstruction& result, const Ranking& ranking,
                            const NamedExamples& data, const std::string& out) const {
    files::JsonObject object;
    object.set("file", out).set("count", result.image.extents.front()).set("mse", result.mean_squared_error);
    if (rank_.empty()) return object;
    files::JsonArray images;
    for (const std::size_t number : ranking.shown) {
      files::JsonObject image;
      image.set("image", number).set("mse", ranking.errors[number]);
      if (data.images->has_labels()) image.set("label", data.images->labels[number]);
      images.add(image);
    }
    object.set("ranked", images);
    if (ranking.auc) object.set("roc_auc", *ranking.auc);
    return object;
  }

  static std::string error_text(const show::Reconstruction& result) {
    return result.mean_squared_error ? fmt::format("mean squared error {:.5g}", *result.mean_squared_error)
                                     : "compared with nothing (--targets FILE)";
  }

  std::string text_of(const show::Reconstruction& result, const Ranking& ranking, const NamedExamples& data,
                      const std::string& out) const {
    std::string text = fmt::format("{} {} of {}, {}: {}\n", result.image.extents.front(), data.images->noun(),
                                   data.name, error_text(result), out);
    for (const std::size_t number : ranking.shown) {
      text += fmt::format("image {:>6}  error {:.5g}", number, ranking.errors[number]);
      if (data.images->has_labels()) text += fmt::format("  label {}", data.images->labels[number]);
      text += "\n";
    }
    if (ranking.auc) text += auc_text(*ranking.auc);
    return text;
  }

  TrainedFlags trained_;
  std::string rank_;
  std::string anomaly_;
  std::string errors_;
  ExamplesFlags source_;
  std::string out_;
  std::optional<std::int64_t> columns_;
};

}  // namespace

std::unique_ptr<Command> reconstruct_command() {
  return std::make_unique<ReconstructCommand>();
}

}  // namespace graphrun::cli
