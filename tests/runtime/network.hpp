/// \file
/// Small networks in executable form, and what it takes to run them in f32 and in f64.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "graph/interpreter.hpp"
#include "runtime/execute/executors.hpp"
#include "runtime/execute/session.hpp"

namespace graphrun::testing {

/// What a session runs with when a test does not care. Where plain threads stand in for TBB they share small
/// plans too, so that there is something to see.
inline runtime::SessionOptions usual_options() {
  runtime::SessionOptions options;
  if (!runtime::tbb_may_run) options.executor = runtime::ExecutorKind::threads;
  return options;
}

struct NetworkShape {
  std::vector<std::int64_t> widths = {48, 33, 17, 2};  ///< and back
  std::string activation = "tanh";
  std::string last = "sigmoid";
  bool noise = false;      ///< gaussian noise on the input
  bool training = true;    ///< gradients and Adam updates; else the forward part
  bool clip_norm = false;  ///< gradients scaled by their global norm
  Precision precision = Precision::f32;
};

/// An autoencoder with mean squared error: inputs "x" (and Adam's scalars), outputs "loss" and "image".
std::shared_ptr<const Graph> autoencoder(const NetworkShape& shape);

/// Feeds by name, in f32; the session sees them as bytes, the interpreter as doubles.
class Values {
 public:
  void set(const std::string& name, Extents extents, std::vector<float> values);
  std::vector<runtime::Feed> feeds() const;
  std::map<std::string, HostTensor> host() const;

 private:
  struct Value {
    Extents extents;
    std::vector<float> values;
  };
  std::map<std::string, Value> values_;
};

/// Random images of `rows` x `columns` and the scalars of Adam at `step` (from 1).
Values batch_values(std::int64_t rows, std::int64_t columns, unsigned seed, int step = 1, float rate = 1e-3F);

/// All variables of a store in f64.
HostVariables host_variables(const runtime::VariableStore& store);

/// Every bit of every variable.
std::vector<float> all_values(const runtime::VariableStore& store);

/// Runs `steps` training steps and returns the loss of each.
std::vector<float> train(runtime::Session& session, runtime::ProgramId program, std::int64_t rows,
                         std::int64_t columns, int steps);

/// The losses of an autoencoder's steps in a session of its own, and then all variables.
std::vector<float> trained(const NetworkShape& shape, runtime::SessionOptions options, std::int64_t rows,
                           int steps);

}  // namespace graphrun::testing
