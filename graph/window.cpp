#include "graph/window.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace graphrun {
namespace {

[[noreturn]] void wrong_length(std::string_view name, std::size_t count, const char* allowed,
                               const char* example) {
  throw OpError(fmt::format("'{}' is {}, not {} number{}", name, allowed, count, count == 1 ? "" : "s"),
                fmt::format("Write for instance {}: {}.", name, example), std::string(name));
}

/// Top, bottom, left, right.
std::array<std::int64_t, 4> margins(const Attributes& attributes) {
  const auto* const list = std::get_if<std::vector<std::int64_t>>(attributes.find("pad"));
  if (list != nullptr && list->size() == 4) return {(*list)[0], (*list)[1], (*list)[2], (*list)[3]};
  if (list != nullptr && list->size() != 2) {
    wrong_length("pad", list->size(), "one number, a height and a width, or top, bottom, left and right",
                 "[0, 1, 2, 2]");
  }
  const auto [height, width] = sides(attributes, "pad");
  return {height, height, width, width};
}

}  // namespace

std::int64_t WindowAxis::reach() const {
  return checked_add(checked_multiply(kernel - 1, dilation), 1);
}

Sides sides(const Attributes& attributes, std::string_view name) {
  const auto* const list = std::get_if<std::vector<std::int64_t>>(attributes.find(name));
  if (list == nullptr) return {attributes.integer(name), attributes.integer(name)};
  if (list->size() != 2) wrong_length(name, list->size(), "one number, or a height and a width", "[1, 2]");
  return {(*list)[0], (*list)[1]};
}

Window window_of(const Sides& kernel, const Attributes& attributes) {
  const Sides stride = sides(attributes, "stride");
  const Sides dilation = sides(attributes, "dilation");
  const auto [top, bottom, left, right] = margins(attributes);
  return {{kernel[0], stride[0] == 0 ? kernel[0] : stride[0], top, bottom, dilation[0]},
          {kernel[1], stride[1] == 0 ? kernel[1] : stride[1], left, right, dilation[1]}};
}

}  // namespace graphrun
