#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "train/datasets/check_data.hpp"
#include "train/learn/definition.hpp"

using namespace graphrun;

namespace {

std::filesystem::path scratch() {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("graphrun_check_data_" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  return folder;
}

/// What is wrong with the data of a small classifier, as "LINE: MESSAGE"; CSV files lie in the build's
/// folder.
std::vector<std::string> faults_of(const std::string& data, const std::string& size) {
  const std::string text = "graphrun: 1\nname: m\ndata: " + data + "\ninputs: {x: {shape: [batch, " + size +
                           "]}, y: {from: labels}}\n"
                           "nodes: {z: {op: dense, in: x, units: 2}}\n"
                           "loss: {class: {op: cross_entropy, in: [z, y]}}\n"
                           "train: {epochs: 1}\n";
  std::vector<std::string> lines;
  const auto model = train::parse_definition(text, (scratch() / "m.yaml").string());
  for (const Error& fault : train::data_faults(*model))
    lines.push_back(std::to_string(fault.where().line) + ": " + fault.message());
  return lines;
}

std::string csv_with_labels(const std::string& name, const std::string& labels) {
  std::ofstream file(scratch() / name);
  file << "a,b,label\n";
  for (const char label : labels) file << "0.5,1.5," << label << "\n";
  return "{train: {images: " + name + "}}";
}

bool says(const std::vector<std::string>& faults, const std::string& start) {
  return faults.size() == 1 && faults.front().starts_with(start);
}

}  // namespace

TEST_CASE("what is wrong with a model's data is known before training") {
  CHECK(faults_of(csv_with_labels("right.csv", "0101"), "2").empty());
  CHECK(says(faults_of("fashion_mnst", "784"),
             "3: there is no data set 'fashion_mnst'. Did you mean 'fashion_mnist'?"));
  CHECK(says(faults_of("{train: {images: nowhere.csv}}", "2"), "3: there is no file '"));
  CHECK(says(faults_of(csv_with_labels("right.csv", "0101"), "3"),
             "4: the input takes 3 values an image, the images are rows of 2 = 2"));
  CHECK(says(faults_of(csv_with_labels("from_one.csv", "1212"), "2"),
             "6: label 2 (row 1), but depth 2: one_hot takes the labels 0 to 1, and those of from_one.csv go "
             "from 1 to 2; they begin at 1"));
  std::ofstream(scratch() / "bare.csv") << "0.5,1.5\n1.5,0.5\n";
  CHECK(says(faults_of("{train: {images: bare.csv}}", "2"),
             "4: input 'y' is needed and not given; labels give it"));
  // A data set by its name is not read: its sizes and classes are known.
  const std::vector<std::string> named = faults_of("fashion_mnist", "783");
  REQUIRE(named.size() == 2);
  CHECK(named[0].starts_with("4: the input takes 783 values an image, the images are 28 × 28 = 784"));
  CHECK(
      named[1].starts_with("6: label 9, but depth 2: one_hot takes the labels 0 to 1, and those of "
                           "fashion_mnist go from 0 to 9"));
  std::filesystem::remove_all(scratch());
}
