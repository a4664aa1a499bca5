/// \file
/// The modules of a file in the places of a model's layers, by kind, shape and order: all ways that fit, up
/// to two, since more than one is a question.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace graphrun::weights {

/// For each place the module that stands there, or none.
using Placement = std::vector<std::size_t>;
inline constexpr std::size_t no_module = static_cast<std::size_t>(-1);

/// Must each place have a module? Some may stay empty where the file is a part of the model alone.
enum class Filling : std::uint8_t { all_places, some_places };

/// A module's name, cut into words, each with the number that it ends with: "encoder", 2, "conv" 1 of
/// "encoder.2.conv1".
struct ModuleOrder {
  struct Word {
    std::string stem;
    long number = -1;  ///< none
  };
  std::vector<Word> words;
  std::string group;  ///< all before the first number
};
ModuleOrder module_order(const std::string& path);

/// Does a module come before another by its name? Where their names begin to differ, only a number does:
/// "layer1.0.conv1" before "layer1.0.conv2" and "layer2.0.conv1", and neither before nor after
/// "layer1.0.bn1".
bool comes_before(const ModuleOrder& a, const ModuleOrder& b);

/// Puts a module of `modules` at each of `places`, such that `fits(place, module)`. Modules of a group come
/// in the order of their numbers. First all modules must be placed; if they cannot, groups as a whole may be
/// left out, and if that does not help, any module. Where places may stay empty and cannot all be filled,
/// each module that fits anywhere is placed. At most two placements. Error{data} when there are too many ways
/// to try.
std::vector<Placement> placements(std::size_t places, const std::vector<ModuleOrder>& modules,
                                  const std::function<bool(std::size_t place, std::size_t module)>& fits,
                                  Filling filling = Filling::all_places);

}  // namespace graphrun::weights
