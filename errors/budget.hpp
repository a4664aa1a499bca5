/// \file
/// What one model may cost, from the first character of its text to its last gradient. One object passes
/// through reading, values, expansion and differentiation, so that no two limits multiply: a short text
/// cannot ask for much memory or time, however its pieces call each other.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "graphrun/error.hpp"

namespace graphrun {

/// What is counted. Each is spent once and never given back.
enum class Resource {
  text,      ///< bytes of the model file and all that it includes
  nodes,     ///< calls of ops and blocks, and the nodes of gradients; of every phase
  elements,  ///< of lists that are computed, and of constants
  steps,     ///< of evaluating values: each operation, and each element that one looks at
  names,     ///< bytes of the paths that nodes are given, and of the blocks that they came through
  mistakes   ///< that are reported
};

/// The defaults are some ten times what the largest models of the field need. A host may set others.
struct BudgetLimits {
  std::size_t text = std::size_t{1} << 20;
  std::size_t nodes = 100'000;
  std::size_t elements = 1'000'000;
  std::size_t steps = 5'000'000;
  std::size_t names = std::size_t{16} << 20;
  std::size_t mistakes = 100;
};

/// A model that needs more. The message names the budget; who knows the place adds it.
class OverBudget : public Error {
 public:
  OverBudget(std::string message, std::string fix)
      : Error(ErrorCode::model, std::move(message)), fix_(std::move(fix)) {}
  const std::string& fix() const noexcept { return fix_; }

 private:
  std::string fix_;
};

class Budget {
 public:
  explicit Budget(const BudgetLimits& limits = {});

  /// Throws OverBudget when less is left.
  void spend(Resource resource, std::size_t amount) {
    std::size_t& left = left_[static_cast<std::size_t>(resource)];
    if (amount > left) refuse(resource);
    left -= amount;
  }
  std::size_t left(Resource resource) const { return left_[static_cast<std::size_t>(resource)]; }

  /// What recursions of all kinds may use of the stack together, in bytes by their largest frames: values in
  /// values in blocks in blocks hold on a thread with 256 KiB.
  static constexpr std::size_t deepest = 144 * 1024;

  bool has_room(std::size_t frames) const { return frames <= deepest - depth_; }

  /// One level of a recursion, for as long as it lasts. Throws OverBudget when it is one too many.
  class Level {
   public:
    Level(Budget& budget, std::size_t frames) : budget_(budget), frames_(frames) {
      if (!budget.has_room(frames)) refuse_depth();
      budget.depth_ += frames;
    }
    ~Level() { budget_.depth_ -= frames_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Budget& budget_;
    std::size_t frames_;
  };

 private:
  [[noreturn]] void refuse(Resource resource) const;
  [[noreturn]] static void refuse_depth();

  static constexpr std::size_t resources = 6;
  std::array<std::size_t, resources> limits_;
  std::array<std::size_t, resources> left_;
  std::size_t depth_ = 0;
};

}  // namespace graphrun
