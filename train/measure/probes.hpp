/// \file
/// The probes of a model: figures of its codes, scores and guesses beside what the data say.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "language/recipe/definition.hpp"
#include "train/learn/learner.hpp"
#include "train/measure/confusion.hpp"

namespace graphrun::train {

/// The figures of all probes of a model: of each one its own, and behind it NAME.threshold, NAME.f1.CLASS or
/// NAME.COLUMN where it has more to say. Those of scores only where `asked` have what they are compared with.
/// `known` are the training examples, `asked` the test examples. Error{data} when other labels are needed and
/// there are none.
std::vector<Figure> run_probes(Learner& learner, const Examples& known, const Examples& asked,
                               const std::stop_token& stop = {});

/// What a probe `confusion` of the model has found, and what the classes are called.
struct NamedConfusion {
  std::string name;
  Confusion confusion;
  std::vector<std::string> names;
};
/// Of each that `asked` have labels for.
std::vector<NamedConfusion> confusions(Learner& learner, const Examples& asked,
                                       const std::stop_token& stop = {});

}  // namespace graphrun::train
