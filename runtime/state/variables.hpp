/// \file
/// The persistent state of a model: its variables by name, f32, dense row-major, 64-byte aligned. Optimizer
/// state lies beside them under `optimizer/variable/slot` ("adam/enc.0.w/m").
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/attribute.hpp"
#include "graph/type.hpp"
#include "runtime/machine/aligned.hpp"

namespace graphrun::runtime {

/// Addresses are stable from declaration on. Not thread-safe.
class VariableStore {
 public:
  struct Variable {
    std::string name;
    Extents extents;
    Initializer initializer;
    bool trainable = true;
    bool initialised = false;
    std::span<float> values;
    Extents whole = {};     ///< of what it is a part of, kept elsewhere; empty when it is all there is
    std::size_t begin = 0;  ///< a part: the element of the whole that its values begin with
  };

  explicit VariableStore(Pages pages = Pages::large);
  ~VariableStore();
  VariableStore(VariableStore&&) noexcept;
  VariableStore& operator=(VariableStore&&) noexcept;

  /// A name that is already there must have the same extents, else Error{model}. What throws changes nothing.
  Variable& declare(std::string name, Extents extents, Initializer initializer, bool trainable);
  /// Of a variable with these extents, so many elements from `begin` on alone are kept here, as [count]. What
  /// throws is as above.
  Variable& declare_part(std::string name, const Extents& whole, std::size_t begin, std::size_t count,
                         Initializer initializer);
  /// Another name for so many elements of a variable, as [count], which find() and get() know: it is none of
  /// all(), is never initialised itself, and counts as initialised.
  void name_part(std::string name, std::string_view of, std::size_t begin, std::size_t count);
  Variable* find(std::string_view name);
  const Variable* find(std::string_view name) const;
  Variable& get(std::string_view name);      ///< throws Error{usage}
  std::vector<const Variable*> all() const;  ///< in the order of declaration
  std::vector<Variable*> all();
  std::size_t size() const;
  /// Forgets what was declared beyond the first so many, when what they were declared for has failed.
  void shrink(std::size_t size) noexcept;

  /// Fills every variable that is not initialised yet by its initializer: Philox keyed by the seed and the
  /// variable's name, so that a value depends on neither order nor other variables.
  void initialise(std::uint64_t seed);

 private:
  struct Storage;
  std::unique_ptr<Storage> storage_;
};

}  // namespace graphrun::runtime
