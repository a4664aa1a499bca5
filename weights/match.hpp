/// \file
/// The modules of a file in the places of a model's layers, by kind, shape and order: all ways that fit, up
/// to two, since more than one is a question.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace graphrun::weights {

/// For each place the module that stands there.
using Placement = std::vector<std::size_t>;

/// Where a module's name has a number, its group is what stands before and the number orders it: "encoder"
/// and 2 of "encoder.2.conv". A name without is a group by itself.
struct ModuleOrder {
  std::string group;
  long number = 0;
};
ModuleOrder module_order(const std::string& path);

/// Puts a module of `modules` at each of `places`, such that `fits(place, module)`. Modules of a group come
/// in the order of their numbers. First all modules must be placed; if they cannot, groups as a whole may be
/// left out, and if that does not help, any module. At most two placements.
std::vector<Placement> placements(std::size_t places, const std::vector<ModuleOrder>& modules,
                                  const std::function<bool(std::size_t place, std::size_t module)>& fits);

}  // namespace graphrun::weights
