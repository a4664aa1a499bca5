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
  explicit OwnedFigures(std::size_t most) : graphrun_figures{} { seen.reserve(most); }
  void fill(NamedValues figures) {
    own = std::move(figures);
    seen.show(own);
    *static_cast<graphrun_figures*>(this) = *seen.get();
  }
  NamedValues own;
  BorrowedFigures seen;
};

}  // namespace

BorrowedFigures::BorrowedFigures(const NamedValues& values) {
  show(values);
}

void BorrowedFigures::reserve(std::size_t most) {
  names_.reserve(most);
  values_.reserve(most);
}

void BorrowedFigures::show(const NamedValues& values) {
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
  auto figures = std::make_unique<OwnedFigures>(values.size());
  figures->fill(std::move(values));
  return figures.release();
}

FiguresRoom::FiguresRoom(std::size_t most) : figures_(std::make_unique<OwnedFigures>(most).release()) {}

FiguresRoom::~FiguresRoom() {
  graphrun_figures_free(figures_);
}

graphrun_figures* FiguresRoom::filled(NamedValues values) noexcept {
  static_cast<OwnedFigures*>(figures_)->fill(std::move(values));
  return std::exchange(figures_, nullptr);
}

}  // namespace graphrun::api

void graphrun_tensor_free(graphrun_tensor* tensor) {
  delete static_cast<graphrun::api::OwnedTensor*>(tensor);
}

void graphrun_figures_free(graphrun_figures* figures) {
  delete static_cast<graphrun::api::OwnedFigures*>(figures);
}
