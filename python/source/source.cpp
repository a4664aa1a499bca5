#include "source.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace graphrun::python {

namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::usage, message);
}

ElementType type_of(const InputValues& input) {
  constexpr ElementType types[] = {ElementType::f32, ElementType::i32, ElementType::u8};
  return types[input.values.index()];
}

std::span<const std::byte> bytes_of(const InputValues& input) {
  return std::visit([](const auto& values) { return std::as_bytes(values); }, input.values);
}

std::byte* begin_of(const RowBuffer& buffer) {
  return std::visit([](const auto& values) { return reinterpret_cast<std::byte*>(values.data()); }, buffer);
}

}  // namespace

PythonSource::PythonSource(const Model& model, nb::object batches)
    : model_(model), batches_(std::move(batches)), iterator_(nb::iter(batches_(0))) {
  if (!read()) refuse("the first epoch of batches is empty");
  for (const InputValues& input : batch_->inputs) inputs_.push_back({input.name, type_of(input)});
  batch_.reset();
  iterator_.reset();
}

void PythonSource::restart(std::uint64_t seed) {
  const nb::gil_scoped_acquire gil;
  batch_.reset();
  iterator_ = nb::iter(batches_(seed));
}

bool PythonSource::read() {
  batch_.reset();
  const nb::object given = nb::steal(PyIter_Next(iterator_.ptr()));
  if (!given.is_valid()) {
    if (PyErr_Occurred() != nullptr) throw nb::python_error();
    return false;
  }
  batch_ = inputs_for(model_, given);
  rows_ = rows_of(*batch_);
  done_ = 0;
  return true;
}

std::int64_t PythonSource::rows_of(const BorrowedInputs& batch) const {
  std::optional<std::int64_t> rows;
  for (std::size_t i = 0; i < batch.inputs.size(); ++i) {
    const Values& values = batch.arrays[i];
    const std::int64_t own = values.ndim() == 0 ? 1 : static_cast<std::int64_t>(values.shape(0));
    if (rows && *rows != own)
      refuse("'" + batch.inputs[i].name + "' has " + std::to_string(own) + " rows in a batch of " +
             std::to_string(*rows));
    rows = own;
  }
  return rows.value_or(0);
}

const InputValues& PythonSource::values_of(const BorrowedInputs& batch, const SourceInput& input) const {
  const auto found = std::ranges::find(batch.inputs, input.name, &InputValues::name);
  if (found == batch.inputs.end() || type_of(*found) != input.type || batch.inputs.size() != inputs_.size())
    refuse("all batches have the names and types of the first one, and '" + input.name + "' has changed");
  return *found;
}

std::int64_t PythonSource::next(std::span<const RowBuffer> into, std::int64_t rows) {
  const nb::gil_scoped_acquire gil;
  while (!batch_ || done_ == rows_)
    if (!read()) return 0;
  const std::int64_t count = std::min(rows, rows_ - done_);
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const std::span<const std::byte> bytes = bytes_of(values_of(*batch_, inputs_[i]));
    const std::size_t row = bytes.size() / static_cast<std::size_t>(rows_);
    const auto some =
        bytes.subspan(static_cast<std::size_t>(done_) * row, static_cast<std::size_t>(count) * row);
    std::memcpy(begin_of(into[i]), some.data(), some.size());
  }
  done_ += count;
  return count;
}

}  // namespace graphrun::python
