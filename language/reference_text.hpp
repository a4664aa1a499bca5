/// \file
/// The ops, the standard blocks and the optimizers as text for people: entries of a reference, and help for a
/// terminal. All of it comes from the definitions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "language/build.hpp"

namespace graphrun {

/// An op, a standard block or an optimizer, as documentation shows it.
struct ReferenceEntry {
  struct Item {
    std::string name;
    std::string kind;      ///< of an attribute: "a number", "one of: train, always"; else empty
    std::string fallback;  ///< of an attribute: "-inf"; "required" when it must be written
    std::string doc;
  };
  std::string name;
  std::string doc;
  std::string formula;  ///< empty for a block
  std::string shapes;   ///< empty for a block
  std::vector<Item> inputs;
  std::vector<Item> attributes;  ///< those that a model file may write
  std::string gradient;          ///< "zero", "none: …"; empty when there is one
  bool block = false;
  bool optimizer = false;  ///< stands under `train: {optimizer: {op: NAME, …}}`
  bool internal = false;   ///< made by graphrun itself: a model file cannot write it
};

/// All ops, then all standard blocks, then all optimizers, each in the order of their list.
std::vector<ReferenceEntry> reference_entries(const Language& language);

/// The help of one op or block; nothing when there is none of this name.
std::optional<std::string> help_text(const Language& language, std::string_view name);

/// One line an op or block that a model file may write: its name and what it is.
std::string help_index(const Language& language);

}  // namespace graphrun
