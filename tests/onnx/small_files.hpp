/// \file
/// Small ONNX files for tests, put together from records, and what their models compute once imported.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "onnx/import/import_model.hpp"
#include "onnx/records.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::testing::small_files {

inline const onnx::Dimension batch{0, "N"};

inline onnx::ValueInfo value(const std::string& name, std::vector<onnx::Dimension> shape,
                             onnx::ElementType type = onnx::ElementType::f32) {
  return {name, type, std::move(shape)};
}

template <class Number>
onnx::TensorRecord tensor(const std::string& name, onnx::ElementType type, std::vector<std::int64_t> shape,
                          const std::vector<Number>& numbers) {
  return {name, type, std::move(shape),
          std::string(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number))};
}

/// `first`, and each a quarter more than the one before.
onnx::TensorRecord floats(const std::string& name, std::vector<std::int64_t> shape, float first = 0.5F);

inline onnx::TensorRecord integers(const std::string& name, const std::vector<std::int64_t>& numbers) {
  return tensor(name, onnx::ElementType::i64, {static_cast<std::int64_t>(numbers.size())}, numbers);
}

inline onnx::NodeRecord node(const std::string& op, std::vector<std::string> inputs,
                             std::vector<std::string> outputs,
                             std::vector<onnx::AttributeRecord> attributes = {}) {
  return {"", op, "", std::move(inputs), std::move(outputs), std::move(attributes)};
}

/// From x to y, both [batch, 4].
onnx::ModelRecord small_model(std::vector<onnx::NodeRecord> nodes,
                              std::vector<onnx::TensorRecord> weights = {});

onnx::Imported imported(const onnx::ModelRecord& model, const onnx::ImportOptions& options = {});

/// The model with its weights.
train::Learner learner_of(const onnx::Imported& imported);

/// The first output for so many rows of the first input.
std::vector<float> run(const onnx::Imported& made, const std::vector<float>& x, std::int64_t rows);

}  // namespace graphrun::testing::small_files
