#include "train/datasets/check_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>
#include <span>

#include "errors/nearest.hpp"
#include "errors/nearest_file.hpp"
#include "files/file_kind.hpp"
#include "graph/needed.hpp"
#include "graph/op.hpp"
#include "language/recipe/file_place.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/datasets/data_place.hpp"
#include "train/datasets/find_dataset.hpp"
#include "train/datasets/suitable.hpp"

namespace graphrun::train {
namespace {

namespace fs = std::filesystem;

/// Reading so much takes some ten milliseconds.
constexpr std::uintmax_t most_bytes_read = std::uintmax_t{4} << 20;

class DataCheck {
 public:
  explicit DataCheck(const ModelDefinition& model) : model_(model) {}

  std::vector<Error> run() {
    if (!model_.data) return {};
    model_.data->name.empty() ? check_files() : check_known();
    return std::move(faults_);
  }

 private:
  void fault(ErrorCode code, const std::string& message, const SourceLocation& where, std::string node = {}) {
    faults_.emplace_back(code, message, where, std::move(node));
  }

  void check_known() {
    const std::string& name = model_.data->name;
    std::vector<std::string> names;
    for (const KnownDataset& dataset : known_datasets()) names.emplace_back(dataset.name);
    const auto found = std::ranges::find(known_datasets(), name, &KnownDataset::name);
    if (found == known_datasets().end())
      return fault(ErrorCode::data,
                   fmt::format("there is no data set '{}'. {}", name, suggestion(name, names)),
                   model_.data->where);
    if (!is_present(*found, DataFolders::from_environment()))
      fault(ErrorCode::data,
            fmt::format("the data set '{0}' is not on this machine; `graphrun data fetch {0}` gets it", name),
            model_.data->where);
    ImageSet sizes;
    sizes.height = found->height;
    sizes.width = found->width;
    sizes.channels = 1;
    check_inputs(sizes);
    check_labels(LabelRange{0, found->classes - 1}, name);
  }

  /// The size of a file, of all pictures in a folder as far as it matters; nothing when it is not there.
  std::optional<std::uintmax_t> bytes_of(const std::string& path) {
    std::error_code failure;
    if (path.empty()) return 0;
    if (fs::is_directory(path, failure)) return most_bytes_read + 1;  // as many as there are pictures
    const std::optional<std::uintmax_t> bytes = files::bytes_of_file(path);
    if (bytes) return bytes;
    const Error missing(ErrorCode::data, fmt::format("there is no file '{}'{}", path, hint_on_missing(path)),
                        model_.data->where);
    const std::optional<SourceLocation> place = place_of_data(model_, path);
    faults_.push_back(place ? at_place({missing.code(), missing.message()}, path, *place) : missing);
    return std::nullopt;
  }

  void check_files() {
    std::uintmax_t total = 0;
    bool whole = true;
    for (const std::optional<DataRecipe::Files>& part : {model_.data->train, model_.data->test}) {
      if (!part) continue;
      std::vector<std::string> paths = {part->images, part->labels, part->targets, part->weights,
                                        part->all_arrays};
      for (const auto& [name, path] : part->arrays) paths.push_back(path);
      for (const std::string& path : paths) {
        const std::optional<std::uintmax_t> bytes = bytes_of(path);
        whole = whole && bytes;
        total += bytes.value_or(0);
      }
    }
    if (!whole || total > most_bytes_read) return;
    try {
      const Dataset data = load_model_data(model_);
      check_inputs(data.train);
      check_labels(range_of_labels(std::span(data.train.labels)), data.name);
      check_labels(range_of_labels(std::span(data.test.labels)), data.name + " (test)");
      check_parts(data);
    } catch (const Error& error) {
      fault(error.code(), error.message(), error.where().line > 0 ? error.where() : model_.data->where);
    }
  }

  /// What targets and arrays do not fit shows when they are bound.
  void check_parts(const Dataset& data) {
    if (!faults_.empty()) return;
    require_values(model_, bind_images(model_, std::make_shared<const ImageSet>(data.train)),
                   inputs_of_loss());
    if (data.test.count > 0) bind_images(model_, std::make_shared<const ImageSet>(data.test));
  }

  /// Does each phase learn from all terms?
  bool learns_whole_loss() const {
    return model_.train && model_.objective &&
           std::ranges::all_of(model_.train->phases, [](const PhaseRecipe& phase) {
             return phase.loss.empty() && phase.alternate.empty() && !phase.greedy;
           });
  }

  /// What a batch must bring to learn from.
  std::vector<std::string> inputs_of_loss() const {
    std::vector<std::string> names;
    if (!learns_whole_loss()) return names;
    const NodeId loss = *model_.objective;
    const auto takes_no_values = [&](NodeId id) { return model_.graph.node(id).op->traits.size; };
    const std::vector<bool> needed = needed_by(model_.graph, std::span(&loss, 1), takes_no_values);
    for (const ModelInput& input : model_.inputs)
      if (const auto id = model_.graph.find(input.name); id && needed[*id]) names.push_back(input.name);
    return names;
  }

  void check_inputs(const ImageSet& examples) {
    for (const ModelInput& input : model_.inputs) {
      if (!takes_examples(input.source)) continue;
      try {
        require_size(model_, input, examples);
      } catch (const Error& error) {
        fault(error.code(), error.message(), error.where(), error.node());
      }
    }
  }

  void check_labels(const std::optional<LabelRange>& labels, const std::string& source) {
    if (!labels) return;
    std::map<std::string, LabelRange> ranges;
    for (const ModelInput& input : model_.inputs)
      if (input.source == InputSource::labels) ranges.emplace(input.name, *labels);
    std::ranges::move(label_faults(model_, ranges, source), std::back_inserter(faults_));
  }

  const ModelDefinition& model_;
  std::vector<Error> faults_;
};

}  // namespace

std::vector<Error> data_faults(const ModelDefinition& model) {
  return DataCheck(model).run();
}

}  // namespace graphrun::train
