/// \file
/// Single functions of each element, as a library runs them. What no provider takes, our own vector kernels
/// run (runtime/kernels/elementwise_program.hpp).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/kernels/post_op.hpp"

namespace graphrun::runtime {

/// output[i] = f(values[i]), or with `gradient` output[i] = cotangents[i] · f′, where f′ comes from
/// values[i], the *result* of f.
struct EltwiseSpec {
  PostOpSpec function;
  bool gradient = false;
  std::int64_t count = 0;
  bool operator==(const EltwiseSpec&) const = default;
};

/// The output may be `values`, or with `gradient` `cotangents`.
struct EltwiseArguments {
  const float* values = nullptr;
  const float* cotangents = nullptr;  ///< null unless `gradient`
  float* output = nullptr;
};

/// Ready to run in one place at a time. Allocates nothing of its own.
class BoundEltwise {
 public:
  virtual ~BoundEltwise() = default;
  /// False when the provider failed (out of memory).
  virtual bool run(const EltwiseArguments& arguments) noexcept = 0;
};

/// Compiled. Immutable; may be bound many times and from several threads. Needs no scratch.
class Eltwise {
 public:
  virtual ~Eltwise() = default;
  virtual std::unique_ptr<BoundEltwise> bind() const = 0;
  virtual const std::string& implementation() const = 0;  ///< its name, as the provider calls it
};

}  // namespace graphrun::runtime
