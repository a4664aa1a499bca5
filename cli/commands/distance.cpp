#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/examples_source.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "cli/output/figures_text.hpp"
#include "graphrun/error.hpp"
#include "show/draw/pictures.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/measure/frechet.hpp"

namespace graphrun::cli {

namespace {

constexpr std::int64_t fewest_images = 2;

class DistanceCommand final : public Command {
 public:
  std::string name() const override { return "distance"; }
  std::string about() const override {
    return "How far new images are from real ones: the Fréchet distance in a classifier's features.";
  }
  void declare(Arguments& arguments) override {
    trained_.declare(arguments);
    arguments.option(
        "--features", features_.source, "RUN",
        "the model whose output `code` compares images, such as a run of models/classifier.yaml");
    arguments.option("--count", count_, "N",
                     "images on each side (default: as many as there are test images)");
    arguments.option("--input", inputs_, "NAME=VALUE",
                     "a value for an input, the same for all new images; repeatable");
  }

  int run(Context& context) override {
    if (features_.source.empty())
      throw Error(ErrorCode::usage,
                  "whose features compare the images? Learn a classifier, graphrun models/classifier.yaml "
                  "--out RUN, and give --features RUN");
    TrainedModel trained = open_trained(trained_, context.flags, context.console);
    // What --set and --seed say is about the model that makes the images.
    CommonFlags plain = context.flags;
    plain.sets.clear();
    plain.seed.reset();
    TrainedModel features = open_trained(features_, plain, context.console);

    const auto data = std::make_shared<const train::Dataset>(train::load_model_data(*trained.model));
    for (const std::string& note : train::notes_on(*data)) context.console.warning(note);
    const std::int64_t count = count_of(*data);
    train::LatentSpace space(trained.learner);
    const train::Codes made = features_of(
        features, std::make_shared<const train::ImageSet>(made_images(space, trained, data, context)), count);
    const train::Codes real = features_of(features, {data, &data->test}, count);
    const train::Codes known = features_of(features, {data, &data->train}, count);
    const double distance = train::frechet_distance(made, real);
    const double floor = train::frechet_distance(known, real);
    return answer(context,
                  files::JsonObject()
                      .set("count", count)
                      .set("features", made.width)
                      .set("codes", train::to_string(space.source()))
                      .set("distance", distance)
                      .set("floor", floor),
                  fmt::format("{} images from the {}, {} real test images, {} features of {}\n"
                              "Fréchet distance {:.4g}; of as many real training images {:.4g}\n",
                              files::grouped(count), train::to_string(space.source()), files::grouped(count),
                              made.width, features.model->name, distance, floor));
  }

 private:
  std::int64_t count_of(const train::Dataset& data) const {
    const auto most = static_cast<std::int64_t>(std::min(data.test.count, data.train.count));
    const std::int64_t count = count_.value_or(most);
    if (data.test.count == 0)
      throw Error(ErrorCode::data, "the model's data has no test images to compare new ones with");
    if (count < fewest_images || count > most)
      throw Error(ErrorCode::usage, fmt::format("--count {}: {} has {} to {} test images to compare with",
                                                count, data.name, fewest_images, most));
    return count;
  }

  /// New images with 256 greys, as the real ones have.
  train::ImageSet made_images(train::LatentSpace& space, TrainedModel& trained,
                              const std::shared_ptr<const train::Dataset>& data, Context& context) const {
    const bool from_images = space.source() == train::CodeSource::training_codes;
    space.measure(from_images ? train::bind_images(*trained.model, {data, &data->train}) : train::Examples{});
    const train::Codes codes = space.sample(count_of(*data), context.flags.seed.value_or(0));
    train::Examples inputs;
    inputs.count = codes.count();
    add_constant_inputs(inputs, *trained.model, inputs_, space.node());
    show::Pictures pictures = show::pictures_of(space.decode(codes, inputs), &data->test);
    return {.count = pictures.count,
            .height = pictures.height,
            .width = pictures.width,
            .channels = pictures.channels,
            .images = std::move(pictures.pixels),
            .labels = {}};
  }

  static train::Codes features_of(TrainedModel& model, const std::shared_ptr<const train::ImageSet>& images,
                                  std::int64_t count) {
    return train::features_of(model.learner,
                              train::first_of(train::bind_images(*model.model, images), count));
  }

  TrainedFlags trained_;
  TrainedFlags features_;
  std::optional<std::int64_t> count_;
  std::vector<std::string> inputs_;
};

}  // namespace

std::unique_ptr<Command> distance_command() {
  return std::make_unique<DistanceCommand>();
}

}  // namespace graphrun::cli
