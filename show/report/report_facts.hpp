/// \file
/// What a report says in words and numbers: the model, its figures, the run. Keys: model, results, curves,
/// run, key_figures.
#pragma once

#include "files/json.hpp"
#include "show/report/report.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::show {

/// Error{data} when the metrics cannot be read; Error{io}.
void set_facts(files::JsonObject& data, train::Learner& learner, const Source& source);

}  // namespace graphrun::show
