/// \file
/// The space of codes in a report: the decoder that the page runs, samples, ways through the space. Keys:
/// latent, decoder or decoder_note, grid, samples, ways.
#pragma once

#include <optional>

#include "files/json.hpp"
#include "show/report/report.hpp"
#include "train/learn/learner.hpp"
#include "train/measure/latent_space.hpp"
#include "train/measure/plane.hpp"

namespace graphrun::show {

/// Codes of more units are not carried: a page could not start from one of them.
inline constexpr std::int64_t widest_carried_code = 64;

/// `codes` are those of test images, as far as the model has any, and `principal` their plane when they have
/// more than two units. Error{usage} when the model makes no images of codes.
void set_latent_space(files::JsonObject& data, train::Learner& learner, const Source& source,
                      const std::optional<train::Codes>& codes,
                      const std::optional<train::PrincipalPlane>& principal);

}  // namespace graphrun::show
