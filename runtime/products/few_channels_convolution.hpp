/// \file
/// Images of few channels made of images of many, as the last layer of a decoder does: a matrix product of
/// the pixels of y and the weights, whose columns are then added where their windows lie. A library that
/// computes sixteen channels side by side leaves most of them empty.
#pragma once

#include <memory>

#include "runtime/products/convolution.hpp"

namespace graphrun::runtime {

/// Whether a convolution is one of these.
bool makes_few_channels(const ConvolutionSpec& spec);

/// Of a spec that makes few channels. The product is made in tiles where there are any, otherwise by the
/// library; sums are made in the order of the windows.
std::unique_ptr<Convolution> make_few_channels_convolution(const ConvolutionSpec& spec);

}  // namespace graphrun::runtime
