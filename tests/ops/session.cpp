// The whole op table through the passes, a plan and a Session: values and gradients in f32 against the f64
// reference. What kernels do alone, lowering must not undo.
#include "runtime/execute/session.hpp"

#include <memory>
#include <string>
#include <vector>

#include "autograd/gradients.hpp"
#include "graph/op.hpp"
#include "graph/passes/pipeline.hpp"
#include "graph/term.hpp"
#include "ops/op.hpp"
#include "tests/ops/op_case.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;
using namespace graphrun::op_table;

namespace {

/// The op's value as "y" and, for y^2 / 2 + y, its gradients as "gradient.x0", ….
std::shared_ptr<const Graph> program_of(const OpCase& one) {
  Builder builder(ops::registry());
  const Term y(builder, add_op(builder, one));
  builder.output("y", y);
  const bool differentiable = std::holds_alternative<Vjp>(builder.node(y).op->gradient);
  if (differentiable && has_drawn_operands(one) && !smooth_operands(one).empty()) {
    std::vector<NodeId> operands;
    for (const std::string& name : smooth_operands(one)) {
      for (NodeId id = 0; id < y.id(); ++id) {
        if (builder.node(id).name == name) operands.push_back(id);
      }
    }
    const std::vector<NodeId> gradients = append_gradients(builder, 0.5 * (y * y) + y, operands);
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      builder.output("gradient." + std::to_string(i), gradients[i]);
    }
  }
  return std::make_shared<const Graph>(make_executable(std::move(builder).finish(), ops::registry()));
}

void check_session(const OpCase& one, const std::shared_ptr<const Graph>& graph, std::int64_t rows) {
  INFO("through a session, " << rows << " rows");
  const std::map<std::string, HostTensor> operands = operand_values(one, rows);
  std::vector<std::vector<std::byte>> buffers;
  std::vector<runtime::Feed> feeds;
  buffers.reserve(one.operands.size() + graph->outputs().size());
  for (std::size_t i = 0; i < one.operands.size(); ++i) {
    if (!graph->find(operand_name(i))) continue;  // nothing needs it
    const HostTensor& operand = operands.at(operand_name(i));
    feeds.push_back({operand_name(i), buffers.emplace_back(to_bytes(operand, one.operands[i].type.dtype))});
  }
  std::vector<runtime::Fetch> fetches;
  for (const NamedOutput& output : graph->outputs()) {
    const Type& type = graph->node(output.node).type;
    const auto count = static_cast<std::size_t>(element_count(bind(type.shape, rows)));
    fetches.push_back({output.name, buffers.emplace_back(count * bytes_of(type.dtype))});
  }
  runtime::SessionOptions options;
  options.threads = 1;
  options.executor = runtime::ExecutorKind::serial;
  runtime::Session session(ops::registry(), ops::kernels(), options);
  runtime::Run run;
  run.batch = rows;
  run.feeds = feeds;
  run.fetches = fetches;
  session.run(session.add(graph), run);

  HostVariables none;
  InterpreterRun exact;
  exact.batch = rows;
  exact.feeds = operands;
  const std::vector<HostTensor> wanted = interpret(*graph, none, exact);
  for (std::size_t i = 0; i < fetches.size(); ++i) {
    const NodeId node = graph->outputs()[i].node;
    INFO("output " << fetches[i].name);
    const std::vector<std::byte> got(fetches[i].bytes.begin(), fetches[i].bytes.end());
    // A gradient sums up to 37 rows and multiplies what it meets on the way.
    const double tolerance = (fetches[i].name == "y" ? 2 : 20) * one.kernel_tolerance;
    compare(from_bytes(got, graph->node(node).type.dtype), wanted[node].values, tolerance);
  }
}

}  // namespace

TEST_CASE("the op table through a session: values and gradients") {
  for (const OpCase& one : all_cases()) {
    INFO(describe(one));
    const std::shared_ptr<const Graph> graph = program_of(one);
    check_session(one, graph, one.batch);
    if (!has_drawn_operands(one)) continue;
    check_session(one, graph, 1);
    check_session(one, graph, 37);
  }
}
