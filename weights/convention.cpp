#include "weights/convention.hpp"

#include <algorithm>
#include <numeric>
#include <span>

namespace graphrun::weights {

namespace {

struct Suffix {
  std::string_view word;
  Part part;
};
constexpr Suffix torch_suffixes[] = {{"weight", Part::weight},
                                     {"bias", Part::bias},
                                     {"running_mean", Part::mean},
                                     {"running_var", Part::variance}};
/// Followed by the number of the layer in its module, and maybe "_reverse".
constexpr Suffix torch_recurrent[] = {{"weight_ih_l", Part::weight},
                                      {"weight_hh_l", Part::recurrent},
                                      {"bias_ih_l", Part::bias},
                                      {"bias_hh_l", Part::recurrent_bias}};
constexpr Suffix keras_suffixes[] = {{"kernel", Part::weight},    {"recurrent_kernel", Part::recurrent},
                                     {"gamma", Part::weight},     {"embeddings", Part::weight},
                                     {"bias", Part::bias},        {"beta", Part::bias},
                                     {"moving_mean", Part::mean}, {"moving_variance", Part::variance}};

std::span<const Suffix> suffixes(Convention convention) {
  return convention == Convention::torch ? std::span<const Suffix>(torch_suffixes)
                                         : std::span<const Suffix>(keras_suffixes);
}

bool is_recurrent(const Layer& layer) {
  return layer.kind == LayerKind::lstm || layer.kind == LayerKind::gru;
}

std::optional<PartName> recurrent_part(std::string_view path, std::string_view word) {
  for (const Suffix& suffix : torch_recurrent) {
    if (!word.starts_with(suffix.word)) continue;
    std::string_view number = word.substr(suffix.word.size());
    const bool reverse = number.ends_with("_reverse");
    if (reverse) number.remove_suffix(std::string_view("_reverse").size());
    if (number.empty() || number.find_first_not_of("0123456789") != std::string_view::npos) continue;
    std::string module(path);
    if (!module.empty()) module += '.';
    module += reverse ? "reverse.l" : "l";
    module += number;
    return PartName{std::move(module), suffix.part};
  }
  return std::nullopt;
}

bool is_convolution(const Layer& layer) {
  return layer.kind == LayerKind::convolution || layer.kind == LayerKind::transposed_convolution;
}

/// The other way round: axis axes[i] of theirs is axis i of ours.
std::vector<std::size_t> inverse(const std::vector<std::size_t>& axes) {
  std::vector<std::size_t> result(axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i) result[axes[i]] = i;
  return result;
}

bool has_several(const std::optional<layers::ImageExtents>& image) {
  return image && image->channels > 1 && image->height * image->width > 1;
}

/// [..., reset, update, value] as [..., update, reset, value], or back.
std::vector<float> with_swapped_gates(std::vector<float> values, const Extents& extents) {
  const auto width = static_cast<std::size_t>(extents.back());
  const auto units = static_cast<std::ptrdiff_t>(width / 3);
  for (auto row = values.begin(); row != values.end(); row += static_cast<std::ptrdiff_t>(width))
    std::swap_ranges(row, row + units, row + units);
  return values;
}

}  // namespace

std::optional<Convention> convention_from(std::string_view word) {
  if (word == "torch") return Convention::torch;
  if (word == "keras") return Convention::keras;
  return std::nullopt;
}

std::optional<PartName> part_name(Convention convention, std::string_view tensor) {
  if (convention == Convention::keras && tensor.ends_with(":0")) tensor.remove_suffix(2);
  const std::size_t end = tensor.find_last_of("./");
  const std::string_view word = end == std::string_view::npos ? tensor : tensor.substr(end + 1);
  const std::span<const Suffix> known = suffixes(convention);
  const std::string_view path = end == std::string_view::npos ? std::string_view() : tensor.substr(0, end);
  const auto found = std::ranges::find(known, word, &Suffix::word);
  if (found != known.end()) return PartName{std::string(path), found->part};
  return convention == Convention::torch ? recurrent_part(path, word) : std::nullopt;
}

bool has_second_bias(Convention convention, const Layer& layer) {
  return convention == Convention::torch && layer.kind == LayerKind::lstm &&
         std::ranges::find(layer.variables, Part::recurrent_bias, &LayerVariable::part) ==
             layer.variables.end();
}

std::optional<std::size_t> row_of(Convention convention, const Layer& layer, const LayerVariable& variable) {
  if (convention != Convention::keras || layer.kind != LayerKind::gru) return std::nullopt;
  if (variable.part == Part::bias) return 0;
  return variable.part == Part::recurrent_bias ? std::optional<std::size_t>(1) : std::nullopt;
}

Part part_there(Convention convention, const Layer& layer, const LayerVariable& variable) {
  return row_of(convention, layer, variable) ? Part::bias : variable.part;
}

Extents extents_there(Convention convention, const Layer& layer, const LayerVariable& variable) {
  if (row_of(convention, layer, variable)) return {2, variable.extents.at(0)};
  return layers::transposed(variable.extents, axes_of(convention, layer, variable));
}

bool swaps_gates(Convention convention, const Layer& layer) {
  return convention == Convention::keras && layer.kind == LayerKind::gru;
}

bool is_reverse(std::string_view path) {
  return path.starts_with("reverse.") || path.find(".reverse.") != std::string_view::npos ||
         path.find("backward") != std::string_view::npos;
}

std::string tensor_name(Convention convention, const Layer& layer, const LayerVariable& variable) {
  if (layer.kind == LayerKind::free) return variable.name;
  if (is_recurrent(layer) && convention == Convention::torch)
    for (const Suffix& suffix : torch_recurrent)
      if (suffix.part == variable.part) return layer.path + "." + std::string(suffix.word) + "0";
  const Part part = part_there(convention, layer, variable);
  for (const Suffix& suffix : suffixes(convention)) {
    const bool is_gain = layer.kind == LayerKind::batch_norm || layer.kind == LayerKind::layer_norm;
    if (suffix.part != part || (suffix.word == "kernel" && is_gain)) continue;
    return layer.path + (convention == Convention::torch ? "." : "/") + std::string(suffix.word);
  }
  return variable.name;
}

/// Dense [in, out] is PyTorch's [out, in]; kernels [h, w, in, out], and transposed ones [h, w, out, in], are
/// its [out, in, h, w] and [in, out, h, w]. Keras lies as graphrun, but for the gates of a gru.
std::vector<std::size_t> axes_of(Convention convention, const Layer& layer, const LayerVariable& variable) {
  std::vector<std::size_t> axes(variable.extents.size());
  std::iota(axes.begin(), axes.end(), std::size_t{0});
  if (variable.part != Part::weight && variable.part != Part::recurrent) return axes;
  const bool is_torch = convention == Convention::torch;
  if (is_recurrent(layer)) return is_torch ? std::vector<std::size_t>{1, 0} : axes;
  if (is_torch && is_convolution(layer)) return {3, 2, 0, 1};
  if (layer.kind == LayerKind::dense && is_torch != layer.is_transposed) return {1, 0};
  return axes;
}

std::vector<PixelAxis> pixel_axes(Convention convention, const Layer& layer, const LayerVariable& variable) {
  if (convention != Convention::torch) return {};
  std::vector<PixelAxis> axes;
  const bool is_matrix = layer.kind == LayerKind::dense && variable.part == Part::weight;
  const std::size_t inputs = layer.is_transposed ? 1 : 0;
  if (is_matrix && has_several(layer.before)) axes.push_back({inputs, *layer.before});
  if (has_several(layer.after)) axes.push_back({is_matrix ? 1 - inputs : 0, *layer.after});
  return axes;
}

std::vector<float> to_theirs(Convention convention, const Layer& layer, const LayerVariable& variable,
                             std::vector<float> values) {
  if (swaps_gates(convention, layer)) return with_swapped_gates(std::move(values), variable.extents);
  for (const PixelAxis& pixels : pixel_axes(convention, layer, variable))
    values =
        layers::reordered(values, variable.extents, pixels.axis, layers::channels_first_order(pixels.image));
  return layers::transposed(values, variable.extents, axes_of(convention, layer, variable));
}

std::vector<float> to_ours(Convention convention, const Layer& layer, const LayerVariable& variable,
                           std::vector<float> values) {
  if (swaps_gates(convention, layer)) return with_swapped_gates(std::move(values), variable.extents);
  const std::vector<std::size_t> axes = axes_of(convention, layer, variable);
  values = layers::transposed(values, layers::transposed(variable.extents, axes), inverse(axes));
  for (const PixelAxis& pixels : pixel_axes(convention, layer, variable))
    values = layers::reordered(values, variable.extents, pixels.axis,
                               layers::inverse_of(layers::channels_first_order(pixels.image)));
  return values;
}

}  // namespace graphrun::weights
