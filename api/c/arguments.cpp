#include "api/c/arguments.hpp"

#include <span>

namespace graphrun::api {

namespace {

template <class Number>
std::span<const Number> elements(const graphrun_input& input) {
  return {static_cast<const Number*>(input.values), input.count};
}

const char* name_of(ElementType type) {
  switch (type) {
    case ElementType::f32:
      return "f32";
    case ElementType::i32:
      return "i32";
    case ElementType::u8:
      return "u8";
  }
  return "f32";
}

}  // namespace

std::vector<std::string> texts_of(const char* const* texts, std::size_t count, const char* name) {
  std::vector<std::string> result;
  if (count > 0) require(texts, name);
  for (std::size_t i = 0; i < count; ++i) {
    require(texts[i], fmt::format("element {} of {}", i, name).c_str());
    result.emplace_back(texts[i]);
  }
  return result;
}

Provider provider_of(int provider) {
  switch (provider) {
    case GRAPHRUN_PROVIDER_AUTO:
      return Provider::automatic;
    case GRAPHRUN_PROVIDER_ONEDNN:
      return Provider::onednn;
    case GRAPHRUN_PROVIDER_TILES:
      return Provider::tiles;
    default:
      throw Error(ErrorCode::usage, fmt::format("there is no provider {}", provider));
  }
}

InputSpan values_of(const graphrun_input& input) {
  if (input.count > 0) require(input.values, "the values of an input");
  switch (input.type) {
    case GRAPHRUN_F32:
      return elements<float>(input);
    case GRAPHRUN_I32:
      return elements<std::int32_t>(input);
    case GRAPHRUN_U8:
      return elements<std::uint8_t>(input);
    default:
      throw Error(ErrorCode::usage,
                  fmt::format("input '{}' has the type {}, which is none", input.name, input.type));
  }
}

std::optional<Precision> precision_of(int precision) {
  switch (precision) {
    case 0:
      return std::nullopt;
    case GRAPHRUN_PRECISION_F32:
      return Precision::f32;
    case GRAPHRUN_PRECISION_BF16:
      return Precision::bf16;
    case GRAPHRUN_PRECISION_BF16_EMULATED:
      return Precision::bf16_emulated;
    default:
      throw Error(ErrorCode::usage, fmt::format("there is no precision {}", precision));
  }
}

files::JsonArray json_of(const std::vector<TensorInfo>& tensors) {
  files::JsonArray array;
  for (const TensorInfo& tensor : tensors) {
    files::JsonArray shape;
    for (const std::int64_t extent : tensor.shape)
      shape.add(extent == batch_axis ? std::optional<std::int64_t>() : std::optional(extent));
    array.add(
        files::JsonObject().set("name", tensor.name).set("type", name_of(tensor.type)).set("shape", shape));
  }
  return array;
}

}  // namespace graphrun::api
