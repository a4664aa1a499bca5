#include "train/datasets/known_datasets.hpp"

#include <fmt/format.h>

#include <string>

#include "graphrun/error.hpp"

namespace graphrun::train {
namespace {

constexpr std::array<KnownDataset, 2> datasets{{
    {"fashion_mnist",
     "fashion-mnist",
     "60,000 training and 10,000 test images of clothing, 28 x 28 grey pixels, 10 classes",
     "MIT, (c) 2017 Zalando SE",
     {{{"train-images-idx3-ubyte", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"},
       {"train-labels-idx1-ubyte", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"},
       {"t10k-images-idx3-ubyte", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"},
       {"t10k-labels-idx1-ubyte", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"}}},
     {"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
      "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion"}},
    {"mnist",
     "mnist",
     "60,000 training and 10,000 test images of handwritten digits, 28 x 28 grey pixels, 10 classes",
     "CC BY-SA 3.0 as commonly given, (c) Y. LeCun and C. Cortes",
     {{{"train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
       {"train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
       {"t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
       {"t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"}}},
     {"https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist"}},
}};

}  // namespace

std::span<const KnownDataset> known_datasets() {
  return datasets;
}

const KnownDataset& known_dataset(std::string_view name) {
  std::string names;
  for (const KnownDataset& dataset : datasets) {
    if (dataset.name == name) return dataset;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", dataset.name);
  }
  throw Error(ErrorCode::data,
              fmt::format("there is no data set '{}'; known by name are {}. Files of your own are given as "
                          "data: {{train: {{images: PATH, labels: PATH}}, test: ...}}",
                          name, names));
}

std::vector<std::string> class_names(const std::string& dataset) {
  if (dataset != "fashion_mnist") return {};
  return {"T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"};
}

}  // namespace graphrun::train
