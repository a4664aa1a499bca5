#include "autograd/gradcheck.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <set>

#include "autograd/gradients.hpp"
#include "graph/broadcast.hpp"
#include "graph/needed.hpp"
#include "graph/passes/cut.hpp"
#include "graph/passes/only_output.hpp"

namespace graphrun {
namespace {

constexpr std::string_view cotangent_name = "gradcheck/cotangent";

/// The forward graph with its gradients behind it.
struct Differentiated {
  Graph graph;
  NodeId y = 0;
  NodeId cotangent = 0;
  std::vector<NodeId> wrt;
  std::vector<NodeId> gradients;
};

std::vector<NodeId> find_all(const Graph& graph, const std::vector<std::string>& names) {
  std::vector<NodeId> found;
  for (NodeId id = 0; names.empty() && id < graph.size(); ++id) {
    if (graph.node(id).op->traits.variable) found.push_back(id);
  }
  for (const std::string& name : names) {
    const std::optional<NodeId> id = graph.find(name);
    if (!id) {
      throw Error(ErrorCode::usage, fmt::format("there is no node '{}' that the output depends on", name));
    }
    if (graph.node(*id).type.dtype != DType::f32) {
      throw Error(
          ErrorCode::usage,
          fmt::format("a gradient belongs to f32 values, and this is {}", to_string(graph.node(*id).type)),
          {}, name);
    }
    found.push_back(*id);
  }
  return found;
}

void require_same_type(const Node& node, const Node& gradient) {
  if (gradient.type == node.type) return;
  throw Error(ErrorCode::internal,
              fmt::format("its gradient is {}, but it is {}", to_string(gradient.type), to_string(node.type)),
              {}, node.name);
}

/// The graph cut at what is fed: the gradient stops there, as the differences do.
Graph cut_at_feeds(const Graph& graph, const OpRegistry& registry, const InterpreterRun& run) {
  std::vector<std::string> fed;
  for (const Node& node : graph.nodes()) {
    if (run.feeds.contains(node.name)) fed.push_back(node.name);
  }
  return cut(graph, registry, fed);
}

Differentiated differentiate(const Graph& graph, const OpRegistry& registry, std::string_view output,
                             const std::vector<std::string>& names, const InterpreterRun& run) {
  const Graph expanded = expand_gradients(graph, registry);
  const Graph forward = only_output(cut_at_feeds(expanded, registry, run), registry, output);
  Differentiated result;
  result.y = forward.output(output);
  result.wrt = find_all(forward, names);
  Builder builder(registry, forward);
  builder.clear_outputs();
  // Fed when it runs, so that it stands for any numbers of this shape.
  result.cotangent = filled(builder, 1.0, builder.type(result.y).shape);
  builder.rename(result.cotangent, std::string(cotangent_name));
  result.gradients = append_gradients(builder, result.y, result.cotangent, result.wrt);
  for (std::size_t i = 0; i < result.wrt.size(); ++i) {
    require_same_type(builder.node(result.wrt[i]), builder.node(result.gradients[i]));
  }
  builder.output("y", result.y);
  for (std::size_t i = 0; i < result.gradients.size(); ++i) {
    builder.output(fmt::format("gradient.{}", i), result.gradients[i]);
  }
  result.graph = std::move(builder).finish();
  return result;
}

/// A direction to move in: some elements, each by its factor times the step, which grows with `scale`.
struct Direction {
  std::string name;
  std::vector<std::size_t> elements;
  std::vector<double> factors;
  double scale = 1;
};

class Checker {
 public:
  Checker(const Differentiated& differentiated, const HostVariables& variables, InterpreterRun run,
          const GradientCheckOptions& options)
      : graph_(differentiated.graph),
        differentiated_(differentiated),
        run_(std::move(run)),
        options_(options),
        random_(options.seed) {
    const Extents extents = bind(graph_.node(differentiated.y).type.shape, run_.batch);
    cotangent_ = {extents, random_weights(static_cast<std::size_t>(element_count(extents)))};
    run_.feeds[std::string(cotangent_name)] = cotangent_;
    HostVariables untouched = variables;
    base_ = interpret(graph_, untouched, run_);
    values_ = base_;
  }

  GradientCheck check(std::size_t index) {
    x_ = differentiated_.wrt[index];
    gradient_ = &base_[differentiated_.gradients[index]];
    find_affected();
    GradientCheck result;
    result.name = graph_.node(x_).name;
    const std::size_t size = base_[x_].values.size();
    for (const Direction& direction : directions(size)) compare(direction, result);
    result.ok = result.max_relative_error <= options_.rtol && (result.checked > 0 || size == 0);
    for (const NodeId id : affected_) values_[id] = base_[id];
    return result;
  }

 private:
  std::vector<double> random_weights(std::size_t count) {
    std::vector<double> weights(count, 1.0);
    if (options_.unit_cotangent || count == 1) return weights;
    for (double& weight : weights) {
      const double unit = static_cast<double>(random_() >> 11U) * 0x1p-53;
      weight = (random_() % 2 == 0 ? 1 : -1) * (0.5 + unit);
    }
    return weights;
  }

  /// The nodes between x and y: all that a change of x changes.
  void find_affected() {
    std::vector<bool> changed(differentiated_.y + 1, false);
    if (x_ <= differentiated_.y) changed[x_] = true;
    affected_.clear();
    const std::vector<bool> needed = needed_by(graph_, std::span(&differentiated_.y, 1));
    for (NodeId id = x_ + 1; id <= differentiated_.y; ++id) {
      const std::vector<NodeId>& inputs = graph_.node(id).inputs;
      const auto is_changed = [&changed](NodeId input) { return changed[input]; };
      changed[id] = needed[id] && (is_mark(id) ? passes_gradient(id) && is_changed(inputs.back())
                                               : std::any_of(inputs.begin(), inputs.end(), is_changed));
      if (changed[id]) affected_.push_back(id);
    }
  }

  /// A mark for gradients says what the gradient is, whatever the value: it stands for its value at the
  /// point, a constant, plus the change of the input that it gives its gradient to, the last one, if any.
  bool is_mark(NodeId id) const { return graph_.node(id).op->traits.forwards_first; }
  bool passes_gradient(NodeId id) const { return std::holds_alternative<Vjp>(graph_.node(id).op->gradient); }

  void move_mark(NodeId id) {
    const NodeId from = graph_.node(id).inputs.back();
    values_[id] = base_[id];
    for (std::size_t i = 0; i < values_[id].values.size(); ++i) {
      values_[id].values[i] += values_[from].values[i] - base_[from].values[i];
    }
  }

  /// Everything that follows from the moved x.
  void recompute_affected() {
    auto begin = affected_.begin();
    while (begin != affected_.end()) {
      const auto mark = std::find_if(begin, affected_.end(), [this](NodeId id) { return is_mark(id); });
      recompute(graph_, run_, std::span(begin, mark), values_);
      if (mark == affected_.end()) return;
      move_mark(*mark);
      begin = mark + 1;
    }
  }

  std::vector<Direction> directions(std::size_t size) {
    std::vector<Direction> list;
    std::set<std::size_t> chosen;
    if (size <= options_.exhaustive) {
      for (std::size_t i = 0; i < size; ++i) chosen.insert(i);
    } else {
      while (chosen.size() < options_.elements) chosen.insert(random_() % size);
    }
    list.reserve(chosen.size());
    for (const std::size_t i : chosen) {
      list.push_back({"element " + place(i), {i}, {1.0}, std::max(1.0, std::abs(base_[x_].values[i]))});
    }
    for (std::size_t d = 0; size > options_.exhaustive && d < options_.directions; ++d) {
      Direction direction{fmt::format("direction {}", d), {}, {}, 1.0};
      for (std::size_t i = 0; i < size; ++i) {
        direction.elements.push_back(i);
        direction.factors.push_back(random_() % 2 == 0 ? 1.0 : -1.0);
      }
      list.push_back(std::move(direction));
    }
    return list;
  }

  std::string place(std::size_t element) const {
    const Extents& extents = base_[x_].extents;
    Extents index(extents.size());
    for (std::size_t axis = extents.size(); axis-- > 0;) {
      const auto extent = static_cast<std::size_t>(extents[axis]);
      index[axis] = static_cast<std::int64_t>(element % extent);
      element /= extent;
    }
    return to_string(index);
  }

  /// y with x moved by `step` along the direction.
  HostTensor moved(const Direction& direction, double step) {
    std::vector<double>& x = values_[x_].values;
    for (std::size_t i = 0; i < direction.elements.size(); ++i) {
      x[direction.elements[i]] += step * direction.factors[i];
    }
    recompute_affected();
    HostTensor y = values_[differentiated_.y];
    for (const std::size_t element : direction.elements) x[element] = base_[x_].values[element];
    return y;
  }

  /// The slope of Σ cotangent·y between two values of y. Differences are taken before they are summed: they
  /// keep the digits that a difference of sums would lose.
  double slope(const HostTensor& from, const HostTensor& to, double distance) const {
    long double sum = 0;
    for (std::size_t i = 0; i < from.values.size(); ++i) {
      sum += static_cast<long double>(cotangent_.values[i]) * (to.values[i] - from.values[i]);
    }
    return static_cast<double>(sum / distance);
  }

  struct Slopes {
    double left = 0;
    double right = 0;
    double central() const { return 0.5 * (left + right); }
    double gap() const { return std::abs(right - left); }
  };

  Slopes slopes(const Direction& direction, double step) {
    step *= direction.scale;
    const HostTensor& here = base_[differentiated_.y];
    Slopes result;
    result.right = slope(here, moved(direction, step), step);
    result.left = slope(moved(direction, -step), here, step);
    return result;
  }

  double error(double analytic, double numeric) const {
    const double scale = std::max(std::abs(analytic), std::abs(numeric)) + options_.atol / options_.rtol;
    const double relative = std::abs(analytic - numeric) / scale;
    return std::isfinite(relative) ? relative : std::numeric_limits<double>::infinity();
  }

  /// The derivative that agrees best, or nothing at a kink. Where the first step disagrees, a wider one
  /// drowns the rounding of a large loss, and a narrower one stays on one side of a kink near by.
  std::optional<double> numeric(const Direction& direction, double analytic) {
    const Slopes first = slopes(direction, options_.step);
    double best = first.central();
    for (const double factor : {10.0, 100.0, 0.1}) {
      if (error(analytic, best) <= options_.rtol) return best;
      const Slopes other = slopes(direction, factor * options_.step);
      if (error(analytic, other.central()) < error(analytic, best)) best = other.central();
      if (factor < 1 && is_kink(analytic, first, other)) return std::nullopt;
    }
    return best;
  }

  /// A kink: the slopes to both sides differ, and by the same with a narrower step. Those of a bent curve
  /// come together, and rounding drives them apart. The analytic gradient lies between them.
  bool is_kink(double analytic, const Slopes& wide, const Slopes& narrow) const {
    const double scale = std::max(std::abs(narrow.left), std::abs(narrow.right));
    const double allowed = options_.rtol * scale + options_.atol;
    return error(analytic, narrow.central()) > options_.rtol && narrow.gap() > 0.5 * wide.gap() &&
           narrow.gap() < 2 * wide.gap() &&
           std::abs(analytic - narrow.central()) <= 0.5 * narrow.gap() + allowed;
  }

  void compare(const Direction& direction, GradientCheck& result) {
    double analytic = 0;
    for (std::size_t i = 0; i < direction.elements.size(); ++i) {
      analytic += gradient_->values[direction.elements[i]] * direction.factors[i];
    }
    const std::optional<double> derivative = numeric(direction, analytic);
    if (!derivative) {
      ++result.kinks;
      return;
    }
    ++result.checked;
    const double relative = error(analytic, *derivative);
    if (result.checked > 1 && relative <= result.max_relative_error) return;
    result.max_relative_error = relative;
    result.worst = direction.name;
    result.analytic = analytic;
    result.numeric = *derivative;
  }

  const Graph& graph_;
  const Differentiated& differentiated_;
  InterpreterRun run_;
  const GradientCheckOptions& options_;
  std::mt19937_64 random_;
  HostTensor cotangent_;
  std::vector<HostTensor> base_;    // all values at the point
  std::vector<HostTensor> values_;  // the same, moved
  NodeId x_ = 0;
  const HostTensor* gradient_ = nullptr;
  std::vector<NodeId> affected_;
};

}  // namespace

std::vector<GradientCheck> check_gradients(const Graph& graph, const OpRegistry& registry,
                                           std::string_view output, const std::vector<std::string>& wrt,
                                           const HostVariables& variables, const InterpreterRun& run,
                                           const GradientCheckOptions& options) {
  const Differentiated differentiated = differentiate(graph, registry, output, wrt, run);
  Checker checker(differentiated, variables, run, options);
  std::vector<GradientCheck> results;
  for (std::size_t i = 0; i < differentiated.wrt.size(); ++i) results.push_back(checker.check(i));
  return results;
}

}  // namespace graphrun
