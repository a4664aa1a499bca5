/// \file
/// What a report shows of the rows of a table, or of a series: scores, thresholds, the worst rows, classes.
#pragma once

#include "files/json.hpp"
#include "show/draw/row_view.hpp"

namespace graphrun::show {

/// Sets `rows` and `classes` of a report's data, as far as the model gives them.
void set_rows(files::JsonObject& data, train::Learner& learner, const Source& source);

}  // namespace graphrun::show
