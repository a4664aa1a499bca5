// What a rule or a pass may change. What is exact changes no bit, in f64 and in the f32 kernels one by one;
// what holds in real arithmetic stays within rounding.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "graph/interpreter.hpp"

namespace graphrun::op_table {

using Values = std::map<std::string, HostTensor>;

/// A graph with numbers to run it on.
struct Example {
  Graph graph;
  std::int64_t batch = 3;
  std::vector<Values> points;          ///< as the case draws them, and some from a wider range
  std::vector<Values> special_points;  ///< with signed zeros, NaN and infinities: for exact rules alone
};

/// All NaN are alike.
bool same_bits(double a, double b);

/// The outputs by the interpreter, and by kernels that run node by node.
std::vector<std::vector<double>> in_f64(const Graph& graph, const Example& example, const Values& values);
std::vector<std::vector<double>> in_f32(const Graph& graph, const Example& example, const Values& values);

/// Each rule and each pass alone on the example; returns the names of those that changed it.
std::set<std::string> check_all(const Example& example);

}  // namespace graphrun::op_table
