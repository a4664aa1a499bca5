#include <fmt/format.h>

#include <cmath>
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
#include "train/learn/programs.hpp"

namespace graphrun::cli {

namespace {

/// Most images that one sheet shows.
constexpr std::size_t most_on_sheet = 400;

class DecodeCommand final : public Command {
 public:
  std::string name() const override { return "decode"; }
  std::string about() const override {
    return "Turns codes into images: a PNG sheet, or all of them as NPY.";
  }
  void declare(Arguments& arguments) override {
    trained_.declare(arguments);
    arguments.positional("CODES", codes_, "rows of codes: NPY or CSV, as graphrun encode writes them");
    arguments.option("--out", out_, "FILE",
                     "decoded.png, .npy or .csv (default: decoded.png in the run directory)");
    arguments.option("--input", inputs_, "NAME=VALUE",
                     "a value for an input, the same for all rows; repeatable");
  }
  int run(Context& context) override {
    TrainedModel trained = open_trained(trained_, context.flags, context.console,
                                        {.outputs = {"image"}, .given = {"latent", "code"}});
    const RowTable codes = read_array(codes_);
    std::vector<std::int32_t> indices;
    train::Examples examples = examples_of(*trained.model, codes, indices);
    add_constant_inputs(examples, *trained.model, inputs_, latent_of(*trained.model).name);
    const train::OutputValues images = trained.learner.run({"image"}, examples).front();
    const std::string out = out_.empty() ? default_output(trained_, "decoded.png") : out_;
    require_finite(images);
    write(out, images);
    return answer(context, files::JsonObject().set("file", out).set("count", codes.rows),
                  fmt::format("{} images: {}\n", files::grouped(codes.rows), out));
  }

 private:
  static const Node& latent_of(const ModelDefinition& model) {
    return model.graph.node(train::asked_node(model, model.role("latent") ? "latent" : "code"));
  }

  /// The codes as what the model takes: numbers, or indices, which are kept in `indices`.
  train::Examples examples_of(const ModelDefinition& model, const RowTable& codes,
                              std::vector<std::int32_t>& indices) const {
    const std::string& latent = latent_of(model).name;
    const Type& type = latent_of(model).type;
    const std::int64_t width = element_count(bind(type.shape, std::int64_t{1}));
    if (width != codes.columns)
      throw Error(ErrorCode::data, fmt::format("{} has {} values a row, the code of the model has {}", codes_,
                                               codes.columns, width));
    train::Examples examples;
    examples.count = codes.rows;
    if (type.dtype == DType::i32) {
      for (const float value : codes.values) indices.push_back(index_of(value));
      examples.columns[latent] = {train::ColumnKind::i32_labels, width, std::as_bytes(std::span(indices))};
    } else {
      examples.columns[latent] = {train::ColumnKind::f32_values, width,
                                  std::as_bytes(std::span(codes.values))};
    }
    return examples;
  }

  std::int32_t index_of(float value) const {
    constexpr float most = 1 << 24;
    if (value == std::floor(value) && std::abs(value) <= most) return static_cast<std::int32_t>(value);
    throw Error(ErrorCode::data,
                fmt::format("{}: the codes of the model are whole numbers, and {} is none", codes_, value));
  }

  static void write(const std::string& out, const train::OutputValues& images) {
    if (std::filesystem::path(out).extension() == ".png")
      show::write_sheet(out, {show::first_of(show::pictures_of(images), most_on_sheet)});
    else
      write_array(out, images);
  }

  TrainedFlags trained_;
  std::string codes_;
  std::string out_;
  std::vector<std::string> inputs_;
};

}  // namespace

std::unique_ptr<Command> decode_command() {
  return std::make_unique<DecodeCommand>();
}

}  // namespace graphrun::cli
