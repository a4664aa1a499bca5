/// \file
/// Results of the C interface, each in one object with what it points to.
#pragma once

#include "graphrun/graphrun.h"
#include "graphrun/session.hpp"

namespace graphrun::api {

graphrun_tensor* tensor_for_c(Tensor tensor);
graphrun_figures* figures_for_c(NamedValues values);

/// Figures that live as long as this.
class BorrowedFigures {
 public:
  explicit BorrowedFigures(const NamedValues& values);
  const graphrun_figures* get() const { return &figures_; }

 private:
  std::vector<const char*> names_;
  std::vector<double> values_;
  graphrun_figures figures_{};
};

}  // namespace graphrun::api
