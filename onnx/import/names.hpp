/// \file
/// Names of an ONNX file as words of the model language.
#pragma once

#include <string>

namespace graphrun::onnx {

/// What the name of a layer's weight says of the layer: "encoder.2.weight" is number 2 of "encoder".
struct LayerName {
  std::string stem;
  long number = -1;  ///< none
  std::string path;  ///< "enc.1.c" of "enc.1.c.w", as graphrun itself writes it; else empty
};
LayerName layer_name(const std::string& weight);

}  // namespace graphrun::onnx
