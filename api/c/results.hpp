/// \file
/// Results of the C interface, each in one object with what it points to.
#pragma once

#include <cstddef>
#include <vector>

#include "graphrun/graphrun.h"
#include "graphrun/session.hpp"

namespace graphrun::api {

graphrun_tensor* tensor_for_c(Tensor tensor);
graphrun_figures* figures_for_c(NamedValues values);

/// Room for figures that are not there yet: a step that has been taken must not fail for want of memory.
class FiguresRoom {
 public:
  explicit FiguresRoom(std::size_t most);
  ~FiguresRoom();
  FiguresRoom(const FiguresRoom&) = delete;
  FiguresRoom& operator=(const FiguresRoom&) = delete;
  /// At most so many.
  graphrun_figures* filled(NamedValues values) noexcept;

 private:
  graphrun_figures* figures_;
};

/// Figures that live as long as this.
class BorrowedFigures {
 public:
  BorrowedFigures() = default;
  explicit BorrowedFigures(const NamedValues& values);
  void reserve(std::size_t most);
  /// Allocates nothing where there is room.
  void show(const NamedValues& values);
  const graphrun_figures* get() const { return &figures_; }

 private:
  std::vector<const char*> names_;
  std::vector<double> values_;
  graphrun_figures figures_{};
};

}  // namespace graphrun::api
