#include "api/c/results.hpp"

#include <memory>
#include <utility>

namespace graphrun::api {

namespace {

/// The part that C sees is the base, so that one pointer stands for both.
struct OwnedTensor : graphrun_tensor {
  explicit OwnedTensor(Tensor tensor) : graphrun_tensor{}, own(std::move(tensor)) {
    values = own.values.data();
    count = own.values.size();
    shape = own.shape.data();
    rank = own.shape.size();
  }
  Tensor own;
};

struct OwnedFigures : graphrun_figures {
  explicit OwnedFigures(NamedValues figures) : graphrun_figures{}, own(std::move(figures)), seen(own) {
    *static_cast<graphrun_figures*>(this) = *seen.get();
  }
  NamedValues own;
  BorrowedFigures seen;
};

}  // namespace

BorrowedFigures::BorrowedFigures(const NamedValues& values) {
  for (const NamedValue& value : values) {
    names_.push_back(value.name.c_str());
    values_.push_back(value.value);
  }
  figures_ = {names_.data(), values_.data(), values.size()};
}

graphrun_tensor* tensor_for_c(Tensor tensor) {
  return std::make_unique<OwnedTensor>(std::move(tensor)).release();
}

graphrun_figures* figures_for_c(NamedValues values) {
  return std::make_unique<OwnedFigures>(std::move(values)).release();
}

}  // namespace graphrun::api

void graphrun_tensor_free(graphrun_tensor* tensor) {
  delete static_cast<graphrun::api::OwnedTensor*>(tensor);
}

void graphrun_figures_free(graphrun_figures* figures) {
  delete static_cast<graphrun::api::OwnedFigures*>(figures);
}
