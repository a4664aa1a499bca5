#include "tests/runtime/network.hpp"

#include <cmath>
#include <random>

#include "autograd/gradients.hpp"
#include "autograd/prepare.hpp"
#include "graph/passes/pipeline.hpp"
#include "graph/term.hpp"
#include "ops/op.hpp"

namespace graphrun::testing {
namespace {

class NetworkBuilder {
 public:
  explicit NetworkBuilder(const NetworkShape& shape) : shape_(shape), builder_(ops::registry()) {}

  std::shared_ptr<const Graph> run() {
    forward();
    const Graph prepared = prepare(std::move(builder_).finish(), ops::registry(), Mode::train);
    Graph graph = shape_.training ? with_updates(prepared) : prepared;
    PassOptions options;
    options.precision = shape_.precision;
    return std::make_shared<const Graph>(make_executable(std::move(graph), ops::registry(), options));
  }

 private:
  Term param(const std::string& name, Shape shape, Initializer init, bool trainable) {
    return {builder_,
            builder_.add("param", {},
                         {{"shape", std::move(shape)}, {"init", std::move(init)}, {"trainable", trainable}},
                         {.name = name})};
  }

  Term dense(Term x, std::int64_t in, std::int64_t out, const std::string& name, const std::string& act) {
    const Initializer init{"torch_linear", {{"fan_in", static_cast<double>(in)}}};
    const Term w = param(name + ".w", {Dim::number(in), Dim::number(out)}, init, true);
    const Term b = param(name + ".b", {Dim::number(out)}, init, true);
    return call(act, {call("matmul", {x, w}) + b});
  }

  void forward() {
    const Shape shape = {Dim::batch(), Dim::number(shape_.widths.front())};
    const Term x(builder_, builder_.add("input", {}, {{"shape", shape}}, {.name = "x"}));
    Term h = x;
    if (shape_.noise) {
      const Term eps(builder_, builder_.add("random_normal", {}, {{"shape", shape}}, {.name = "eps"}));
      h = x + 0.1 * eps;
    }
    std::vector<std::int64_t> widths = shape_.widths;
    widths.insert(widths.end(), shape_.widths.rbegin() + 1, shape_.widths.rend());
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
      const bool last = i + 2 == widths.size();
      h = dense(h, widths[i], widths[i + 1], "layer." + std::to_string(i),
                last ? shape_.last : shape_.activation);
    }
    const Term squares = call("square", {h - x});
    const Term loss = call("sum", {squares}) / call("size", {squares});
    builder_.output("loss", loss);
    builder_.output("image", h);
  }

  static void scale_by_norm(Builder& builder, std::vector<NodeId>& gradients) {
    Term total(builder, builder.constant(0));
    for (const NodeId gradient : gradients) {
      total = total + call("sum", {call("square", {Term(builder, gradient)})});
    }
    const Term factor = call("minimum", {0.1 / call("sqrt", {total}), constant_like(total, 1)});
    for (NodeId& gradient : gradients) gradient = Term(builder, gradient) * factor;
  }

  Graph with_updates(const Graph& forward) const {
    Builder builder(ops::registry());
    std::vector<NodeId> parameters;
    for (const Node& node : forward.nodes()) {
      const NodeId id = builder.add_like(node, node.inputs, node.controls);
      if (node.op->traits.variable) parameters.push_back(id);
    }
    for (const NamedOutput& output : forward.outputs()) builder.output(output.name, output.node);
    const NodeId loss = forward.output("loss");
    std::vector<NodeId> gradients = append_gradients(builder, loss, parameters);
    if (shape_.clip_norm) scale_by_norm(builder, gradients);
    const NodeId check = builder.add("check_finite", {loss});
    std::vector<NodeId> scalars;
    for (const char* name : {"rate", "correction1", "correction2"}) {
      scalars.push_back(builder.add("input", {}, {{"shape", Shape{}}}, {.name = name}));
    }
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      std::vector<NodeId> inputs = {parameters[i]};
      for (const char* slot : {"m", "v"}) {
        inputs.push_back(builder.add("param", {},
                                     {{"shape", builder.type(parameters[i]).shape}, {"trainable", false}},
                                     {.name = "adam/" + builder.node(parameters[i]).name + "/" + slot}));
      }
      inputs.push_back(gradients[i]);
      inputs.insert(inputs.end(), scalars.begin(), scalars.end());
      builder.add("adam_update", inputs,
                  {{"beta1", 0.9}, {"beta2", 0.999}, {"eps", 1e-8}, {"weight_decay", 0.0}},
                  {.controls = {check}});
    }
    return std::move(builder).finish();
  }

  NetworkShape shape_;
  Builder builder_;
};

}  // namespace

std::shared_ptr<const Graph> autoencoder(const NetworkShape& shape) {
  return NetworkBuilder(shape).run();
}

void Values::set(const std::string& name, Extents extents, std::vector<float> values) {
  values_[name] = {std::move(extents), std::move(values)};
}

std::vector<runtime::Feed> Values::feeds() const {
  std::vector<runtime::Feed> feeds;
  for (const auto& [name, value] : values_) feeds.push_back({name, std::as_bytes(std::span(value.values))});
  return feeds;
}

std::map<std::string, HostTensor> Values::host() const {
  std::map<std::string, HostTensor> tensors;
  for (const auto& [name, value] : values_) {
    tensors[name] = {value.extents, std::vector<double>(value.values.begin(), value.values.end())};
  }
  return tensors;
}

Values batch_values(std::int64_t rows, std::int64_t columns, unsigned seed, int step, float rate) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> distribution(0, 1);
  std::vector<float> images(static_cast<std::size_t>(rows * columns));
  for (float& pixel : images) pixel = distribution(generator);
  Values values;
  values.set("x", {rows, columns}, std::move(images));
  values.set("rate", {}, {rate});
  values.set("correction1", {}, {static_cast<float>(1 - std::pow(0.9, step))});
  values.set("correction2", {}, {static_cast<float>(1 - std::pow(0.999, step))});
  return values;
}

HostVariables host_variables(const runtime::VariableStore& store) {
  HostVariables variables;
  for (const auto* variable : store.all()) {
    variables[variable->name] = {variable->extents, {variable->values.begin(), variable->values.end()}};
  }
  return variables;
}

std::vector<float> all_values(const runtime::VariableStore& store) {
  std::vector<float> values;
  for (const auto* variable : store.all()) {
    values.insert(values.end(), variable->values.begin(), variable->values.end());
  }
  return values;
}

std::vector<float> train(runtime::Session& session, runtime::ProgramId program, std::int64_t rows,
                         std::int64_t columns, int steps) {
  std::vector<float> losses;
  for (int step = 1; step <= steps; ++step) {
    const Values values = batch_values(rows, columns, static_cast<unsigned>(step), step);
    const std::vector<runtime::Feed> feeds = values.feeds();
    float loss = 0;
    const runtime::Fetch fetch{"loss", std::as_writable_bytes(std::span(&loss, 1))};
    session.run(program, {.batch = rows,
                          .feeds = feeds,
                          .fetches = std::span(&fetch, 1),
                          .random = {1, 1, static_cast<std::uint64_t>(step), 0},
                          .stop = {}});
    losses.push_back(loss);
  }
  return losses;
}

std::vector<float> trained(const NetworkShape& shape, runtime::SessionOptions options, std::int64_t rows,
                           int steps) {
  runtime::Session session(ops::registry(), ops::kernels(), std::move(options));
  const runtime::ProgramId program = session.add(autoencoder(shape));
  session.variables().initialise(5);
  std::vector<float> values = train(session, program, rows, shape.widths.front(), steps);
  const std::vector<float> variables = all_values(session.variables());
  values.insert(values.end(), variables.begin(), variables.end());
  return values;
}

}  // namespace graphrun::testing
