#include "ops/shape/strided_copy.hpp"

#include <algorithm>
#include <cstring>

#include "ops/rows.hpp"

namespace graphrun::ops {
namespace {

struct Run {
  std::int64_t extent = 1;
  std::int64_t stride = 1;
};

/// The axes as few runs as possible, outermost first: neighbours that step evenly are one.
std::vector<Run> runs_of(const Extents& output, const std::vector<std::int64_t>& strides) {
  std::vector<Run> runs;  // innermost first
  for (std::size_t axis = output.size(); axis-- > 0;) {
    if (output[axis] == 1 && axis != 0) continue;
    const bool even = !runs.empty() && strides[axis] == runs.back().stride * runs.back().extent;
    if (even) {
      runs.back().extent *= output[axis];
    } else {
      runs.push_back({output[axis], strides[axis]});
    }
  }
  if (runs.empty()) runs.emplace_back();
  std::reverse(runs.begin(), runs.end());
  return runs;
}

std::int64_t source(const std::vector<Run>& outer, std::int64_t i) {
  std::int64_t index = 0;
  for (std::size_t run = outer.size(); run-- > 1;) {
    index += i % outer[run].extent * outer[run].stride;
    i /= outer[run].extent;
  }
  return outer.empty() ? 0 : index + i * outer[0].stride;
}

template <class T>
void copy_run(const T* from, std::int64_t stride, T* to, std::size_t count) {
  if (stride == 1) {
    std::memcpy(to, from, count * sizeof(T));
  } else if (stride == 0) {
    std::fill_n(to, count, *from);
  } else {
    for (std::size_t i = 0; i < count; ++i) to[i] = from[static_cast<std::int64_t>(i) * stride];
  }
}

template <class T>
void copy_runs(const std::vector<Run>& outer, Run inner, const T* from, T* to, std::size_t count) {
  const std::size_t length = std::min(static_cast<std::size_t>(inner.extent), count);
  if (length == 0) return;
  for (std::size_t i = 0; i < count / length; ++i) {
    copy_run(from + source(outer, static_cast<std::int64_t>(i)), inner.stride, to + i * length, length);
  }
}

/// Runs with the innermost apart.
struct Runs {
  Runs(const Extents& extents, const StridedView& view)
      : outer(runs_of(extents, view.strides)), inner(outer.back()), offset(view.offset) {
    outer.pop_back();
  }
  std::vector<Run> outer;
  Run inner;
  std::int64_t offset;
};

template <class T>
void place_runs(const Runs& runs, const T* from, T* to, std::size_t count) {
  const std::size_t length = std::min(static_cast<std::size_t>(runs.inner.extent), count);
  if (length == 0) return;
  for (std::size_t i = 0; i < count / length; ++i) {
    T* const run = to + runs.offset + source(runs.outer, static_cast<std::int64_t>(i));
    for (std::size_t j = 0; j < length; ++j) {
      run[static_cast<std::int64_t>(j) * runs.inner.stride] = from[i * length + j];
    }
  }
}

template <class T>
std::unique_ptr<runtime::Call> make_copy(const Extents& output, const StridedView& view) {
  return runtime::make_call(
      [runs = Runs(output, view), covered = CoveredElements(output)](const runtime::CallArguments& a) {
        copy_runs(runs.outer, runs.inner, input_as<T>(a, 0) + runs.offset, output_as<T>(a), covered(a));
      });
}

template <class T>
std::unique_ptr<runtime::Call> make_place(const Extents& input, const Extents& output,
                                          const StridedView& view, bool by_rows) {
  const auto all = static_cast<std::size_t>(element_count(input));
  return runtime::make_call([runs = Runs(input, view), covered = CoveredElements(output), all, by_rows,
                             per_row = elements_per_row(input)](const runtime::CallArguments& a) {
    std::fill_n(output_as<T>(a), covered(a), T{});
    const std::size_t count = by_rows ? static_cast<std::size_t>(a.row_count) * per_row : all;
    place_runs(runs, input_as<T>(a, 0), output_as<T>(a), count);
  });
}

/// Calls body(index in the dense tensor, index in the view).
template <class Function>
void for_each_place(const Extents& extents, const StridedView& view, Function body) {
  const std::vector<std::int64_t> positions = dense_strides(extents);
  const std::int64_t count = element_count(extents);
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t index = view.offset;
    for (std::size_t axis = 0; axis < positions.size(); ++axis) {
      index += i / positions[axis] % extents[axis] * view.strides[axis];
    }
    body(static_cast<std::size_t>(i), static_cast<std::size_t>(index));
  }
}

}  // namespace

std::vector<std::int64_t> dense_strides(const Extents& extents) {
  std::vector<std::int64_t> strides(extents.size());
  std::int64_t stride = 1;
  for (std::size_t axis = extents.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= extents[axis];
  }
  return strides;
}

// f32 and i32 are four bytes either way.
std::unique_ptr<runtime::Call> make_strided_copy(const Extents& output, const StridedView& view,
                                                 DType dtype) {
  if (dtype == DType::u8) return make_copy<std::uint8_t>(output, view);
  return make_copy<std::uint32_t>(output, view);
}

std::unique_ptr<runtime::Call> make_strided_place(const Extents& input, const Extents& output,
                                                  const StridedView& view, bool by_rows, DType dtype) {
  if (dtype == DType::u8) return make_place<std::uint8_t>(input, output, view, by_rows);
  return make_place<std::uint32_t>(input, output, view, by_rows);
}

void copy_strided(const HostTensor& input, const StridedView& view, HostTensor& output) {
  for_each_place(output.extents, view,
                 [&](std::size_t dense, std::size_t place) { output.values[dense] = input.values[place]; });
}

void place_strided(const HostTensor& input, const StridedView& view, HostTensor& output) {
  for_each_place(input.extents, view,
                 [&](std::size_t dense, std::size_t place) { output.values[place] = input.values[dense]; });
}

}  // namespace graphrun::ops
