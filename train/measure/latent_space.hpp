/// \file
/// The codes that a model makes images of: how they are spread, how to draw new ones, and what they look
/// like.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "train/datasets/examples.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::train {

/// Rows of codes: [count, width], dense.
struct Codes {
  std::int64_t width = 0;
  std::vector<float> values;
  std::int64_t count() const { return width == 0 ? 0 : static_cast<std::int64_t>(values.size()) / width; }
  std::span<const float> row(std::int64_t index) const {
    return std::span(values).subspan(static_cast<std::size_t>(index * width),
                                     static_cast<std::size_t>(width));
  }
};

/// Where new codes come from.
enum class CodeSource {
  prior,          ///< the output `prior`
  latent,         ///< the output `latent`, which is drawn at random and depends on nothing
  training_codes  ///< each unit by the quantiles of its values over training images
};
const char* to_string(CodeSource source);

/// Has the model an output `image`, and codes of numbers that it can be made of?
bool makes_images(const ModelDefinition& model);

/// The node that is fed to make images: the output `latent`, or `code` where none is named. Everything after
/// it makes the image, nothing before it is needed.
class LatentSpace {
 public:
  /// Codes of the model come from images only for CodeSource::training_codes, and in encode(). Error{usage}
  /// when the model has no output `image`, no code, one of indices, or a prior of another size than the code.
  explicit LatentSpace(Learner& learner);

  std::int64_t width() const { return width_; }
  const std::string& node() const { return node_; }
  CodeSource source() const { return source_; }

  /// Learns how the codes are spread: from draws of the prior, or from `training` images, which only
  /// CodeSource::training_codes needs. To be called before sample() and quantile().
  void measure(const Examples& training);

  /// New codes. Those of one seed are always the same, and the first of many are the few.
  Codes sample(std::int64_t count, std::uint64_t seed);

  /// The value below which a share of the codes has this unit; `share` from 0 to 1, between neighbours
  /// linear.
  float quantile(std::int64_t unit, double share) const;

  /// Output `code` of some images. Error{usage} when the model has none, or one of another size.
  Codes encode(const Examples& images);

  /// Output `image` for each code. `inputs` are columns for other inputs that images depend on, as many rows.
  OutputValues decode(const Codes& codes, const Examples& inputs = {});

 private:
  Codes draw(std::int64_t count, std::uint64_t seed);

  Learner& learner_;
  std::string node_;
  std::int64_t width_ = 0;
  CodeSource source_ = CodeSource::training_codes;
  std::vector<std::vector<float>> sorted_;  ///< of each unit
};

/// Output `code` of the first examples: at most `most_rows`, and fewer when all their values would be more
/// than `most_values`. Error{usage} when it has no row for each example, or is not f32.
Codes first_codes(Learner& learner, const Examples& examples, std::int64_t most_rows,
                  std::int64_t most_values);

/// `side` x `side` codes of two units, row by row from the top: the first unit grows to the right, the second
/// upwards. `even`: values evenly between the 2 % and the 98 % quantile of a unit; otherwise at even shares
/// of the codes, so that each picture stands for as many. Error{usage} when a code has not two units.
Codes grid_codes(const LatentSpace& space, std::int64_t side, bool even);

/// `steps` codes from `from` to `to`, both included; at least 2.
Codes interpolated_codes(std::span<const float> from, std::span<const float> to, std::int64_t steps);

/// For each row of `base`, `steps` codes that differ from it in one unit alone, which goes evenly from its 2
/// % to its 98 % quantile. Error{usage} when there is no such unit.
Codes traversed_codes(const LatentSpace& space, const Codes& base, std::int64_t unit, std::int64_t steps);

}  // namespace graphrun::train
