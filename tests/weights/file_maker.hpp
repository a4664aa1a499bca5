/// \file
/// Files of weights to be taken by models.
#pragma once

#include <numeric>
#include <string>
#include <vector>

#include "files/safetensors.hpp"
#include "tests/support/temporary_folder.hpp"

namespace graphrun::testing {

/// Tensors whose elements count up, so that each tells where it came from.
class FileMaker {
 public:
  FileMaker& add(const std::string& name, std::vector<std::size_t> shape) {
    std::size_t count = 1;
    for (const std::size_t extent : shape) count *= extent;
    std::vector<float>& values = values_.emplace_back(count);
    std::iota(values.begin(), values.end(), static_cast<float>(values_.size()) * 1000);
    names_.push_back(name);
    shapes_.push_back(std::move(shape));
    return *this;
  }
  files::SafetensorsFile write(const TemporaryFolder& folder,
                               const std::string& name = "weights.safetensors") const {
    std::vector<files::TensorView> tensors;
    for (std::size_t i = 0; i < names_.size(); ++i)
      tensors.push_back(
          {names_[i], files::StoredType::f32, shapes_[i], std::as_bytes(std::span(values_[i]))});
    files::write_safetensors(folder / name, tensors, {});
    return files::SafetensorsFile(folder / name);
  }
  const std::vector<float>& values(std::size_t i) const { return values_[i]; }

 private:
  std::vector<std::string> names_;
  std::vector<std::vector<std::size_t>> shapes_;
  std::vector<std::vector<float>> values_;
};

}  // namespace graphrun::testing
