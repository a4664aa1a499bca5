#include "runtime/products/convolution.hpp"

#include <fmt/format.h>

namespace graphrun::runtime {

std::string to_string(const ConvolutionSpec& spec) {
  const auto& [vertical, horizontal] = spec.window;
  return fmt::format("a convolution of [{}, {}, {}] with [{}, {}, {}, {}]", spec.height, spec.width,
                     spec.channels, vertical.kernel, horizontal.kernel, spec.channels / spec.groups,
                     spec.output_channels);
}

std::int64_t weight_count(const ConvolutionSpec& spec) {
  return spec.window.vertical.kernel * spec.window.horizontal.kernel * (spec.channels / spec.groups) *
         spec.output_channels;
}

}  // namespace graphrun::runtime
