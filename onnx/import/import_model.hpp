/// \file
/// An ONNX file as a model of graphrun's: a text to read and change, and the weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/type.hpp"

namespace graphrun::onnx {

/// The opsets that are read.
inline constexpr std::int64_t oldest_imported = 7;
inline constexpr std::int64_t newest_imported = 27;

struct ImportOptions {
  std::string file = "model.onnx";  ///< what messages call it
  std::string name = "imported";    ///< of the model
  std::string data = {};            ///< a data set for the model; may be empty
  /// Shapes of inputs by name, where the file leaves sizes open, or to say others.
  std::map<std::string, Shape> shapes = {};
  /// Inputs whose numbers are known by now and never change: sizes, axes. They are inputs no longer.
  std::map<std::string, std::vector<double>> settled = {};
  /// The folder of weights in files beside it; nothing: a file that has such is refused.
  std::optional<std::filesystem::path> external_data = {};
};

struct Imported {
  std::string model;                                  ///< YAML
  std::map<std::string, std::vector<float>> weights;  ///< by the names of the model's parameters
  std::vector<std::string> inputs;                    ///< "x f32[batch, 784]"
  std::vector<std::string> outputs;                   ///< the same
  std::size_t nodes = 0;                              ///< of the file
  /// For each output of the file its name in the model.
  std::vector<std::string> output_names;
  /// For each input of the file its name in the model.
  std::vector<std::string> input_names;
};

/// Throws Error{data} for what is no ONNX file, or breaks its rules, or has more than the limits; ModelError
/// with all ops and uses of ops at once that graphrun has not; Error{usage} for shapes of inputs that are not
/// there; Error{io} for weights in other files.
Imported import_model(std::string_view bytes, const ImportOptions& options);

/// Writes model.yaml and weights.safetensors, complete or not at all, into a folder that is made if it is not
/// there. Error{io}.
void save_imported(const std::filesystem::path& folder, const Imported& imported);

/// "batch,3,24,24". Throws Error{usage}.
Shape shape_from(const std::string& text);

}  // namespace graphrun::onnx
