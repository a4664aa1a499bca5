/// \file
/// What a report shows in pictures and lets people move through: reconstructions, codes, the decoder, new
/// images, filters. Keys: images, label_names, colours, reconstruction, codes, latent, decoder or
/// decoder_note, grid, samples, ways, filters. Pictures of one size stand in one PNG.
#pragma once

#include <string>
#include <vector>

#include "files/json.hpp"
#include "show/report/report.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::show {

void set_pictures(files::JsonObject& data, train::Learner& learner, const Source& source,
                  std::vector<std::string>& notes);

}  // namespace graphrun::show
