#include <fmt/format.h>

#include <algorithm>

#include "onnx/import/importer.hpp"

namespace graphrun::onnx {

const Value& Call::input(std::size_t i) const {
  if (!has(i)) throw Unsupported(fmt::format("input {} is not there", i));
  return inputs_[i];
}

std::vector<std::int64_t> Call::integers(std::size_t i) const {
  const std::optional<std::vector<std::int64_t>> known = integers_of(input(i));
  if (!known) throw Unsupported(fmt::format("input {} depends on what the model is given", i));
  return *known;
}

std::optional<std::vector<double>> Call::numbers(std::size_t i) const {
  return has(i) ? numbers_of(inputs_[i]) : std::nullopt;
}

template <class T>
const T* Call::find(std::string_view name) const {
  for (const AttributeRecord& attribute : record_->attributes)
    if (attribute.name == name) return std::get_if<T>(&attribute.value);
  return nullptr;
}

bool Call::has_attribute(std::string_view name) const {
  return std::ranges::any_of(record_->attributes, [&](const AttributeRecord& a) { return a.name == name; });
}

std::int64_t Call::integer(std::string_view name, std::int64_t fallback) const {
  const auto* const found = find<std::int64_t>(name);
  return found != nullptr ? *found : fallback;
}

double Call::number(std::string_view name, double fallback) const {
  const auto* const found = find<float>(name);
  return found != nullptr ? static_cast<double>(*found) : fallback;
}

std::string Call::text(std::string_view name, std::string_view fallback) const {
  const auto* const found = find<std::string>(name);
  return found != nullptr ? *found : std::string(fallback);
}

std::vector<std::int64_t> Call::list(std::string_view name) const {
  const auto* const found = find<std::vector<std::int64_t>>(name);
  return found != nullptr ? *found : std::vector<std::int64_t>{};
}

std::vector<float> Call::floats(std::string_view name) const {
  const auto* const found = find<std::vector<float>>(name);
  return found != nullptr ? *found : std::vector<float>{};
}

std::vector<std::string> Call::texts(std::string_view name) const {
  const auto* const found = find<std::vector<std::string>>(name);
  return found != nullptr ? *found : std::vector<std::string>{};
}

const TensorRecord* Call::tensor(std::string_view name) const {
  return find<TensorRecord>(name);
}

SharedGraph Call::graph(std::string_view name) const {
  const auto* const found = find<SharedGraph>(name);
  return found != nullptr ? *found : nullptr;
}

std::optional<std::vector<std::int64_t>> Call::list_or_input(std::string_view name, std::size_t i) const {
  if (has_attribute(name)) return list(name);
  return has(i) ? std::optional(integers(i)) : std::nullopt;
}

std::size_t Call::axis(std::int64_t axis, std::size_t rank) const {
  const std::optional<std::size_t> found = normalised_axis(axis, rank);
  if (!found) throw Unsupported(fmt::format("axis {} of a tensor of {} axes", axis, rank));
  return *found;
}

Order Call::permutation(std::size_t rank) const {
  Order axes;
  for (const std::int64_t axis_written : list("perm")) axes.push_back(axis(axis_written, rank));
  if (axes.empty()) {
    axes = natural_order(rank);
    std::ranges::reverse(axes);
  }
  Order sorted = axes;
  std::ranges::sort(sorted);
  if (sorted != natural_order(rank)) throw Unsupported(fmt::format("perm is no order of {} axes", rank));
  return axes;
}

}  // namespace graphrun::onnx
