#include "ops/strided_copy.hpp"

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

template <class T>
std::unique_ptr<runtime::Call> make_typed(const Extents& output, const StridedView& view) {
  std::vector<Run> outer = runs_of(output, view.strides);
  const Run inner = outer.back();
  outer.pop_back();
  return runtime::make_call([outer = std::move(outer), inner, offset = view.offset,
                             covered = CoveredElements(output)](const runtime::CallArguments& a) {
    copy_runs(outer, inner, input_as<T>(a, 0) + offset, output_as<T>(a), covered(a));
  });
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

std::unique_ptr<runtime::Call> make_strided_copy(const Extents& output, const StridedView& view,
                                                 DType dtype) {
  if (dtype == DType::u8) return make_typed<std::uint8_t>(output, view);
  return make_typed<std::uint32_t>(output, view);  // f32 and i32: four bytes
}

void copy_strided(const HostTensor& input, const StridedView& view, HostTensor& output) {
  const std::vector<std::int64_t> positions = dense_strides(output.extents);
  for (std::size_t i = 0; i < output.values.size(); ++i) {
    std::int64_t index = view.offset;
    for (std::size_t axis = 0; axis < positions.size(); ++axis) {
      index += static_cast<std::int64_t>(i) / positions[axis] % output.extents[axis] * view.strides[axis];
    }
    output.values[i] = input.values[static_cast<std::size_t>(index)];
  }
}

}  // namespace graphrun::ops
