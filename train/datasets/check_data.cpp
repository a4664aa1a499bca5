#include "train/datasets/check_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>

#include "errors/nearest.hpp"
#include "graph/op.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/datasets/find_dataset.hpp"

namespace graphrun::train {
namespace {

namespace fs = std::filesystem;

/// Reading so much takes some ten milliseconds.
constexpr std::uintmax_t most_bytes_read = std::uintmax_t{4} << 20;

/// What is known of the examples without having read them all.
struct Knowledge {
  ImageSet sizes;  ///< without values, or with them
  std::int32_t largest_label = -1;
};

class DataCheck {
 public:
  explicit DataCheck(const ModelDefinition& model) : model_(model) {}

  std::vector<Error> run() {
    if (!model_.data) return {};
    const std::optional<Knowledge> known = model_.data->name.empty() ? from_files() : from_name();
    if (!known) return std::move(faults_);
    check_inputs(*known);
    check_labels(known->largest_label);
    return std::move(faults_);
  }

 private:
  void fault(ErrorCode code, const std::string& message, const SourceLocation& where, std::string node = {}) {
    faults_.emplace_back(code, message, where, std::move(node));
  }

  std::optional<Knowledge> from_name() {
    const std::string& name = model_.data->name;
    std::vector<std::string> names;
    for (const KnownDataset& dataset : known_datasets()) names.emplace_back(dataset.name);
    const auto found = std::ranges::find(known_datasets(), name, &KnownDataset::name);
    if (found == known_datasets().end()) {
      fault(ErrorCode::data, fmt::format("there is no data set '{}'. {}", name, suggestion(name, names)),
            model_.data->where);
      return std::nullopt;
    }
    if (!is_present(*found, DataFolders::from_environment()))
      fault(ErrorCode::data,
            fmt::format("the data set '{0}' is not on this machine; `graphrun data fetch {0}` gets it", name),
            model_.data->where);
    Knowledge known;
    known.sizes.height = found->height;
    known.sizes.width = found->width;
    known.sizes.channels = 1;
    known.largest_label = found->classes - 1;
    return known;
  }

  /// The size of a file, of all pictures in a folder as far as it matters; nothing when it is not there.
  std::optional<std::uintmax_t> bytes_of(const std::string& path) {
    std::error_code failure;
    if (path.empty()) return 0;
    if (fs::is_directory(path, failure)) return most_bytes_read + 1;  // as many as there are pictures
    const std::uintmax_t bytes = fs::file_size(path, failure);
    if (!failure) return bytes;
    fault(ErrorCode::data, fmt::format("there is no file '{}'", path), model_.data->where);
    return std::nullopt;
  }

  std::optional<Knowledge> from_files() {
    std::uintmax_t total = 0;
    bool whole = true;
    for (const std::optional<DataSpec::Files>& part : {model_.data->train, model_.data->test}) {
      if (!part) continue;
      for (const std::string& path : {part->images, part->labels}) {
        const std::optional<std::uintmax_t> bytes = bytes_of(path);
        whole = whole && bytes;
        total += bytes.value_or(0);
      }
    }
    if (!whole || total > most_bytes_read) return std::nullopt;
    try {
      Dataset data = load_model_data(model_);
      Knowledge known;
      for (const ImageSet* part : {&data.train, &data.test})
        for (const std::int32_t label : part->labels)
          known.largest_label = std::max(known.largest_label, label);
      known.sizes = std::move(data.train);
      return known;
    } catch (const Error& error) {
      fault(error.code(), error.message(), error.where().line > 0 ? error.where() : model_.data->where);
      return std::nullopt;
    }
  }

  void check_inputs(const Knowledge& known) {
    for (const ModelInput& input : model_.inputs) {
      if (input.source != InputSource::images) continue;
      try {
        require_size(model_, input, known.sizes);
      } catch (const Error& error) {
        fault(error.code(), error.message(), error.where(), error.node());
      }
    }
  }

  /// A label is one of `depth` classes where it becomes one_hot.
  void check_labels(std::int32_t largest) {
    std::set<NodeId> labels;
    for (const ModelInput& input : model_.inputs)
      if (input.source == InputSource::labels)
        if (const std::optional<NodeId> id = model_.graph.find(input.name)) labels.insert(*id);
    for (NodeId id = 0; id < model_.graph.nodes().size(); ++id) {
      const Node& node = model_.graph.node(id);
      if (node.op->name != "one_hot" || !labels.contains(node.inputs.front())) continue;
      const std::int64_t depth = node.attributes.integer("depth");
      if (largest < depth) continue;
      const Node& input = model_.graph.node(node.inputs.front());
      fault(ErrorCode::data,
            fmt::format("the data have labels up to {}, but only 0 to {} are classes of the model; labels "
                        "count from 0",
                        largest, depth - 1),
            node.origin != nullptr ? node.origin->where : SourceLocation(), input.name);
    }
  }

  const ModelDefinition& model_;
  std::vector<Error> faults_;
};

}  // namespace

std::vector<Error> data_faults(const ModelDefinition& model) {
  return DataCheck(model).run();
}

}  // namespace graphrun::train
