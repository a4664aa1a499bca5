// Kernels of optimizer updates and other effects against their references, on every instruction set.
#include <atomic>
#include <cmath>
#include <limits>

#include "ops/op.hpp"
#include "runtime/kernels/kernel.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/graphs.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::testing;

namespace {

struct Update {
  std::string op;
  std::size_t slots;
  std::vector<double> scalars;
  Attributes attributes;
};

/// Every number small and every flag off, and the other way round: of all updates there are.
std::vector<Update> make_updates() {
  std::vector<Update> all;
  for (const OpDef& op : ops::registry().ops()) {
    if (!op.name.ends_with("_update")) continue;
    for (const bool large : {false, true}) {
      Update update{.op = op.name, .slots = op.writes.size() - 1, .scalars = {0.01}, .attributes = {}};
      for (std::size_t i = update.slots + 3; i < op.inputs.size(); ++i)
        update.scalars.push_back(0.1 + 0.17 * static_cast<double>(i));
      for (const AttributeDeclaration& attribute : op.attributes) {
        if (attribute.kind == AttributeKind::flag)
          update.attributes.set(attribute.name, large);
        else
          update.attributes.set(attribute.name, large ? 0.9 : 0.1);
      }
      all.push_back(std::move(update));
    }
  }
  return all;
}

const std::vector<Update> updates = make_updates();

/// The update of one variable w by fed slots, gradient and scalars.
Graph graph_of(const Update& update, const Shape& of) {
  Maker maker;
  std::vector<NodeId> inputs = {maker.param("w", of)};
  for (std::size_t i = 0; i < update.slots; ++i)
    inputs.push_back(maker.param("slot" + std::to_string(i), of));
  inputs.push_back(maker.input("gradient", of));
  for (std::size_t i = 0; i < update.scalars.size(); ++i) {
    inputs.push_back(maker.input("scalar" + std::to_string(i), {}));
  }
  maker.builder.add(update.op, inputs, update.attributes, {.name = "update"});
  return maker.finish();
}

struct Buffers {
  std::vector<std::vector<float>> values;  // of the inputs, in order
};

Buffers buffers_of(const Update& update, const HostVariables& variables, const InterpreterRun& run) {
  Buffers result;
  const auto add = [&](const HostTensor& tensor) {
    result.values.emplace_back(tensor.values.begin(), tensor.values.end());
  };
  add(variables.at("w"));
  for (std::size_t i = 0; i < update.slots; ++i) add(variables.at("slot" + std::to_string(i)));
  add(run.feeds.at("gradient"));
  for (std::size_t i = 0; i < update.scalars.size(); ++i) add(run.feeds.at("scalar" + std::to_string(i)));
  return result;
}

/// Runs the update's kernel on pieces of at most `piece` rows; tells whether it met a value not finite.
bool run_kernel(const Update& update, const Node& node, Buffers& buffers, const Extents& extents,
                runtime::Isa isa, std::int64_t piece) {
  const runtime::KernelDef* const kernel = ops::kernels().find(*node.op);
  runtime::BoundNode bound{node, {}, std::vector<Extents>(node.inputs.size()), {}, isa};
  for (std::size_t i = 0; i < update.slots + 2; ++i) bound.inputs[i] = extents;
  const std::unique_ptr<runtime::Call> call = kernel->make(bound);
  std::size_t width = 1;
  for (std::size_t axis = 1; axis < extents.size(); ++axis) width *= static_cast<std::size_t>(extents[axis]);
  std::atomic<bool> bad = false;
  const std::int64_t rows = extents.empty() ? 1 : extents[0];
  for (std::int64_t row = 0; row < rows; row += piece) {
    std::vector<const std::byte*> inputs;
    std::vector<std::byte*> written;
    for (std::size_t i = 0; i < buffers.values.size(); ++i) {
      const std::size_t skipped = i < update.slots + 2 ? static_cast<std::size_t>(row) * width : 0;
      auto* const place = reinterpret_cast<std::byte*>(buffers.values[i].data() + skipped);
      inputs.push_back(place);
      if (i <= update.slots) written.push_back(place);
    }
    runtime::CallArguments arguments;
    arguments.inputs = inputs;
    arguments.written = written;
    arguments.row_begin = row;
    arguments.row_count = std::min(piece, rows - row);
    arguments.non_finite = &bad;
    call->run(arguments);
  }
  return bad;
}

struct Case {
  Graph graph;
  HostVariables variables;
  InterpreterRun run;
};

Case make_case(const Update& update, const Shape& of) {
  Case one{graph_of(update, of), {}, {}};
  one.run.feeds["gradient"] = random_tensor(graphrun::bind(of, 1), 1, -1, 1);
  one.variables["w"] = random_tensor(graphrun::bind(of, 1), 2, -1, 1);
  for (std::size_t i = 0; i < update.slots; ++i) {
    one.variables["slot" + std::to_string(i)] = random_tensor(graphrun::bind(of, 1), 3 + i, 0.1, 1);
  }
  for (std::size_t i = 0; i < update.scalars.size(); ++i) {
    one.run.feeds["scalar" + std::to_string(i)] = {{}, {update.scalars[i]}};
  }
  return one;
}

std::vector<runtime::Isa> instruction_sets() {
  std::vector<runtime::Isa> sets;
  for (const runtime::Isa isa : {runtime::Isa::baseline, runtime::Isa::avx2, runtime::Isa::avx512}) {
    if (isa <= runtime::detected_isa()) sets.push_back(isa);
  }
  return sets;
}

}  // namespace

TEST_CASE("updates: kernels follow the reference, with the same bits on every instruction set and cut") {
  for (const Update& update : updates) {
    for (const Shape& of : {shape({7, 37}), shape({5}), shape({})}) {
      INFO(update.op << " of " << to_string(of));
      Case one = make_case(update, of);
      const Node& node = one.graph.node(one.graph.find("update").value());
      const Buffers before = buffers_of(update, one.variables, one.run);
      interpret(one.graph, one.variables, one.run);
      const Buffers wanted = buffers_of(update, one.variables, one.run);
      std::optional<Buffers> first;
      for (const runtime::Isa isa : instruction_sets()) {
        for (const std::int64_t piece : {std::int64_t{1000}, std::int64_t{3}}) {
          INFO(to_string(isa) << ", " << piece << " rows at a time");
          Buffers got = before;
          CHECK_FALSE(run_kernel(update, node, got, graphrun::bind(of, 1), isa, piece));
          for (std::size_t i = 0; i <= update.slots; ++i) {
            for (std::size_t k = 0; k < got.values[i].size(); ++k) {
              CHECK(got.values[i][k] == Approx(wanted.values[i][k]).epsilon(2e-6).margin(2e-6));
            }
          }
          if (!first) first = got;
          CHECK(got.values == first->values);
        }
      }
    }
  }
}

TEST_CASE("updates report a gradient that is not finite") {
  for (const Update& update : updates) {
    const Case one = make_case(update, shape({41}));
    const Node& node = one.graph.node(one.graph.find("update").value());
    for (const runtime::Isa isa : instruction_sets()) {
      for (const float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                              std::numeric_limits<float>::quiet_NaN()}) {
        for (const std::size_t place : {0U, 17U, 40U}) {
          INFO(update.op << ", " << bad << " at " << place);
          Buffers buffers = buffers_of(update, one.variables, one.run);
          buffers.values[update.slots + 1][place] = bad;
          CHECK(run_kernel(update, node, buffers, {41}, isa, 1000));
        }
      }
    }
  }
}

TEST_CASE("check_finite") {
  Maker maker;
  const Term x = maker.input("x", batch_of({3}));
  maker.builder.add("check_finite", {x}, {}, {.name = "check"});
  const Graph graph = maker.finish();
  const Node& node = graph.node(graph.find("check").value());
  CHECK(node.type.dtype == DType::none);
  const std::unique_ptr<runtime::Call> call =
      ops::kernels().find(*node.op)->make({node, {node.type}, {{2, 3}}, {}, runtime::detected_isa()});
  for (const double value : {1.0, 3e38, std::numeric_limits<double>::infinity(), std::nan("")}) {
    std::vector<float> values = {0, -1, 2, 3, static_cast<float>(value), 5};
    const auto* const bytes = reinterpret_cast<const std::byte*>(values.data());
    std::atomic<bool> bad = false;
    runtime::CallArguments arguments;
    arguments.inputs = std::span(&bytes, 1);
    arguments.row_count = 1;
    arguments.non_finite = &bad;
    call->run(arguments);
    CHECK(bad == !std::isfinite(value));
    HostVariables none;
    const InterpreterRun run{.batch = 2, .feeds = {{"x", {{2, 3}, {values.begin(), values.end()}}}}};
    const auto error = thrown([&] { interpret(graph, none, run); });
    CHECK(error.has_value() == !std::isfinite(value));
    if (error) CHECK(error->node() == "check");
  }
}

TEST_CASE("assign") {
  Maker maker;
  const Term state = maker.param("state", shape({2, 2}));
  maker.builder.add("assign", {state, state * 0.5}, {}, {.name = "assign"});
  const Graph graph = maker.finish();
  HostVariables variables = {{"state", {{2, 2}, {1, 2, 3, 4}}}};
  interpret(graph, variables, {});
  CHECK(variables.at("state").values == std::vector<double>{0.5, 1, 1.5, 2});
  const Node& node = graph.node(graph.find("assign").value());
  const std::unique_ptr<runtime::Call> call =
      ops::kernels().find(*node.op)->make({node, {}, {{2, 2}, {2, 2}}, {}, runtime::detected_isa()});
  std::vector<float> old(4, 0);
  const std::vector<float> fresh = {1, 2, 3, 4};
  const std::vector<const std::byte*> inputs = {reinterpret_cast<const std::byte*>(old.data()),
                                                reinterpret_cast<const std::byte*>(fresh.data())};
  auto* written = reinterpret_cast<std::byte*>(old.data());
  runtime::CallArguments arguments;
  arguments.inputs = inputs;
  arguments.written = std::span(&written, 1);
  arguments.row_count = 2;
  call->run(arguments);
  CHECK(old == fresh);
}
