#include "show/report/page_decoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <map>
#include <vector>

#include "files/base64.hpp"
#include "ops/op.hpp"
#include "train/learn/programs.hpp"

namespace graphrun::show {

namespace {

// clang-format off
constexpr std::array<std::string_view, 32> ops_of_the_page = {
    "abs", "add", "broadcast_to", "cast", "clip", "concat",
    "convolution", "div", "elu", "exp", "gelu", "leaky_relu",
    "log", "matmul", "maximum", "minimum", "mul", "neg",
    "normalise", "one_hot", "pow", "relu", "reshape", "sigmoid",
    "silu", "softplus", "sqrt", "square", "sub", "tanh",
    "transposed_convolution", "upsample"};
// clang-format on

void set_attribute(files::JsonObject& object, const std::string& name, const AttributeValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) object.set(name, *flag);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) object.set(name, *integer);
  if (const auto* number = std::get_if<double>(&value)) object.set(name, *number);
  if (const auto* text = std::get_if<std::string>(&value)) object.set(name, *text);
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value))
    object.set(name, files::json_array(*integers));
  if (const auto* numbers = std::get_if<std::vector<double>>(&value))
    object.set(name, files::json_array(*numbers));
}

bool is_one_product(const Graph& graph, const Node& matmul) {
  const auto rank = [&](std::size_t i) { return graph.node(matmul.inputs[i]).type.shape.size(); };
  return rank(1) == 2 && (rank(0) == 2 || !matmul.attributes.flag("transpose_a"));
}

/// What keeps a page from running a decoder.
struct CannotRun {
  std::string reason;
};

class Export {
 public:
  Export(train::Learner& learner, const train::LatentSpace& space, std::int64_t labels)
      : learner_(learner), space_(space), labels_(labels) {}

  bool needs_label() const { return needs_label_; }

  files::JsonObject description() {
    const ModelDefinition& model = learner_.model();
    const train::Program program =
        train::role_program(model, ops::registry(), {{"image", *model.role("image")}}, {space_.node()});
    const Graph& graph = *program.graph;
    for (const Node& node : graph.nodes()) nodes_.add(entry(graph, node));
    files::JsonObject object;
    object.set("nodes", nodes_)
        .set("output", graph.output("image"))
        .set("labels", needs_label_ ? labels_ : std::int64_t{0});
    set_weights(object);
    return object;
  }

 private:
  files::JsonObject entry(const Graph& graph, const Node& node) {
    files::JsonObject object;
    const Extents extents = bind(node.type.shape, std::int64_t{1});
    if (node.op->traits.variable) {
      object.set("op", "weights")
          .set("offset", offset_of(node.name))
          .set("shape", files::json_array(extents));
      return object;
    }
    if (node.op->traits.input)
      return object.set("op", input_kind(node)).set("shape", files::json_array(extents));
    const auto known = page_ops();
    if (!node.op->traits.constant && std::find(known.begin(), known.end(), node.op->name) == known.end())
      throw CannotRun{fmt::format("it has the op {}, which the page does not know", node.op->name)};
    if (node.op->name == "matmul" && !is_one_product(graph, node))
      throw CannotRun{"it multiplies many matrices with many, which the page does not know"};
    files::JsonObject attributes;
    for (const auto& [name, value] : node.attributes.entries()) set_attribute(attributes, name, value);
    return object.set("op", node.op->name)
        .set("inputs", files::json_array(node.inputs))
        .set("shape", files::json_array(extents))
        .set("attributes", attributes);
  }

  const char* input_kind(const Node& node) {
    if (node.name == space_.node()) {
      if (node.type.dtype != DType::f32) throw CannotRun{"its codes are indices, not numbers"};
      return "code";
    }
    for (const ModelInput& input : learner_.model().inputs)
      if (input.name == node.name && input.source == InputSource::labels && labels_ > 0) {
        needs_label_ = true;
        return "label";
      }
    throw CannotRun{fmt::format("it needs '{}' beside the code", node.name)};
  }

  /// Where the weights of a variable lie; those of one that is used twice are there once.
  std::int64_t offset_of(const std::string& name) {
    const auto [place, is_new] = offsets_.try_emplace(name, static_cast<std::int64_t>(weights_.size()));
    if (is_new) {
      const std::span<const float> values = learner_.variables().get(name).values;
      if (2 * static_cast<std::int64_t>(weights_.size() + values.size()) > largest_page_weights)
        throw CannotRun{fmt::format("it has more weights than a report carries ({} MB, 16 bits each)",
                                    largest_page_weights / (1024 * 1024))};
      weights_.insert(weights_.end(), values.begin(), values.end());
    }
    return place->second;
  }

  /// Piece by piece: the text is half as long again as the weights, and a run has its memory in use.
  void set_weights(files::JsonObject& object) {
    const bool whole = 4 * static_cast<std::int64_t>(weights_.size()) <= largest_page_weights;
    const std::size_t weight_bytes = whole ? 4 : 2;
    std::string text;
    text.reserve((weights_.size() * weight_bytes + 2) / 3 * 4);
    std::vector<std::uint8_t> bytes;
    const auto add = [&](std::uint32_t bits) {
      for (std::size_t i = 0; i < weight_bytes; ++i)
        bytes.push_back(static_cast<std::uint8_t>(bits >> (8 * i)));
    };
    constexpr std::size_t piece = 3 * 4096;  // so many bytes are whole groups of base64
    for (const float weight : weights_) {
      add(whole ? std::bit_cast<std::uint32_t>(weight) : half_of(weight));
      if (bytes.size() < piece) continue;
      text += files::base64(bytes);
      bytes.clear();
    }
    text += files::base64(bytes);
    weights_ = {};
    object.set("precision", whole ? "f32" : "f16").set("weights", text);
  }

  train::Learner& learner_;
  const train::LatentSpace& space_;
  std::int64_t labels_;
  bool needs_label_ = false;
  files::JsonArray nodes_;
  std::map<std::string, std::int64_t> offsets_;
  std::vector<float> weights_;
};

}  // namespace

std::span<const std::string_view> page_ops() {
  return ops_of_the_page;
}

PageDecoder page_decoder(train::Learner& learner, const train::LatentSpace& space, std::int64_t labels) {
  Export exported(learner, space, labels);
  try {
    files::JsonObject description = exported.description();
    return {std::move(description), {}, exported.needs_label()};
  } catch (const CannotRun& cannot) {
    return {std::nullopt, cannot.reason, exported.needs_label()};
  }
}

std::uint16_t half_of(float value) {
  constexpr float largest = 65504;
  constexpr float smallest_normal = 6.103515625e-5F;
  const std::uint32_t sign = std::bit_cast<std::uint32_t>(value) >> 16 & 0x8000;
  if (std::isnan(value)) return 0x7e00;
  const float size = std::min(std::abs(value), largest);
  // Below the normal ones, halves are the multiples of 2^-24; nearbyint rounds ties to even.
  if (size < smallest_normal)
    return static_cast<std::uint16_t>(sign | static_cast<std::uint32_t>(std::nearbyint(size * 0x1p24F)));
  const auto bits = std::bit_cast<std::uint32_t>(size);
  const std::uint32_t rounded = bits + 0xfff + (bits >> 13 & 1);
  return static_cast<std::uint16_t>(sign | ((rounded >> 13) - ((127 - 15) << 10)));
}

}  // namespace graphrun::show
