/// \file
/// The part of a model that makes images from codes, in a form that the page of a report runs by itself: a
/// list of ops for one example, and all weights.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "files/json.hpp"
#include "train/learn/learner.hpp"
#include "train/measure/latent_space.hpp"

namespace graphrun::show {

/// So many bytes of weights a report carries at most: as f32, and where these are too many, as f16. More than
/// that, and the decoder does not run in the page.
inline constexpr std::int64_t largest_page_weights = 8 * 1024 * 1024;

/// Names of the ops that the page can run; see report/page/decoder.js.
std::span<const std::string_view> page_ops();

struct PageDecoder {
  std::optional<files::JsonObject> description;
  std::string reason;        ///< why there is none: a part of a sentence
  bool needs_label = false;  ///< beside the code
};
/// `labels`: how many labels there are, for models that decode with one; 0: none.
PageDecoder page_decoder(train::Learner& learner, const train::LatentSpace& space, std::int64_t labels);

/// The nearest IEEE half-precision number, ties to even; what is too large becomes the largest.
std::uint16_t half_of(float value);

}  // namespace graphrun::show
