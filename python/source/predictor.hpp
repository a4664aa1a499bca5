/// \file
/// A Predictor as Python sees it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "graphrun/graphrun.hpp"

namespace graphrun::python {

class PythonPredictor {
 public:
  PythonPredictor(const Model& model, const Weights& weights, const PredictorOptions& options);

  /// An array for one output, else a tuple of them.
  nb::object predict(const nb::args& inputs, nb::object out) const;

  const std::vector<TensorInfo>& inputs() const { return inputs_; }
  const std::vector<TensorInfo>& outputs() const { return outputs_; }
  Predictor& predictor() { return predictor_; }
  const Predictor& predictor() const { return predictor_; }

 private:
  Predictor predictor_;
  std::vector<TensorInfo> inputs_;
  std::vector<TensorInfo> outputs_;
};

}  // namespace graphrun::python
