/// \file
/// A Python function that gives the batches of an epoch, as a source of the library's.
#pragma once

#include <optional>
#include <vector>

#include "arrays.hpp"
#include "graphrun/graphrun.hpp"

namespace graphrun::python {

/// Made and destroyed with the GIL; the library calls it without.
class PythonSource final : public Source {
 public:
  /// `batches(seed)` is an iterable of what inputs_for() takes. One batch is asked for here, to see what is
  /// in it. Raises UsageError when there is none.
  PythonSource(const Model& model, nb::object batches);

  std::vector<SourceInput> inputs() const override { return inputs_; }
  void restart(std::uint64_t seed) override;
  std::int64_t next(std::span<const RowBuffer> into, std::int64_t rows) override;

 private:
  /// The next batch of the iterator; false after the last.
  bool read();
  /// Its values in the order of inputs_.
  const InputValues& values_of(const BorrowedInputs& batch, const SourceInput& input) const;
  std::int64_t rows_of(const BorrowedInputs& batch) const;

  Model model_;
  nb::object batches_;
  nb::object iterator_;
  std::vector<SourceInput> inputs_;
  std::optional<BorrowedInputs> batch_;
  std::int64_t rows_ = 0;  ///< of the batch
  std::int64_t done_ = 0;  ///< of these
};

}  // namespace graphrun::python
