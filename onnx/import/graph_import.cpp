#include "onnx/import/graph_import.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "errors/printable.hpp"
#include "onnx/import/ops/imported_ops.hpp"
#include "onnx/import/wire_reader.hpp"

namespace graphrun::onnx {

namespace {

constexpr std::size_t most_nodes = 100'000;  // of the file, loops unrolled
constexpr int deepest = 16;                  // graphs in nodes of graphs

std::string shown(const std::string& name) {
  return printable(shortened(name));
}

std::string name_of(const NodeRecord& record) {
  if (!record.name.empty()) return shown(record.name);
  return record.outputs.empty() ? "" : shown(record.outputs[0]);
}

void count_uses(const GraphRecord& graph, std::map<std::string, std::size_t>& uses, int depth) {
  if (depth > deepest) throw MalformedFile(fmt::format("graphs in graphs, more than {} deep", deepest));
  for (const NodeRecord& node : graph.nodes) {
    for (const std::string& input : node.inputs) ++uses[input];
    for (const AttributeRecord& attribute : node.attributes)
      if (const auto* const inner = std::get_if<SharedGraph>(&attribute.value))
        count_uses(**inner, uses, depth + 1);
  }
  for (const ValueInfo& output : graph.outputs) ++uses[output.name];
}

/// Stacks values that a loop made, one after the other.
Value stacked(Importer& importer, const std::vector<Value>& parts) {
  if (parts.empty()) throw Unsupported("a loop that is never run");
  std::vector<NodeId> nodes;
  for (const Value& part : parts) {
    Shape shape = {Dim::number(1)};
    shape.insert(shape.end(), part.shape.begin(), part.shape.end());
    nodes.push_back(importer.reshape(importer.node(part), shape));
  }
  return importer.value(importer.joined(std::move(nodes), 0), parts[0].type);
}

}  // namespace

std::map<std::string, std::size_t> uses_of(const GraphRecord& graph) {
  std::map<std::string, std::size_t> uses;
  count_uses(graph, uses, 0);
  return uses;
}

const Value* GraphImport::value(const std::string& name) const {
  if (broken_.contains(name)) return nullptr;
  const Value* const found = importer_.find(name);
  if (found == nullptr)
    throw MalformedFile(
        fmt::format("nothing before it makes '{}': there is a circle, or a value is missing", shown(name)));
  return found;
}

void GraphImport::refuse(const NodeRecord& record, const std::string& reason) {
  const auto same = [&](const Refusal& refusal) {
    return refusal.op == record.op && refusal.reason == reason;
  };
  auto found = std::ranges::find_if(refusals_, same);
  if (found == refusals_.end()) found = refusals_.insert(refusals_.end(), {record.op, reason, {}});
  found->nodes.push_back(name_of(record));
}

void GraphImport::define_weights(const GraphRecord& graph) {
  for (const TensorRecord& tensor : graph.initializers) {
    try {
      importer_.define(tensor.name, value_of(tensor, tensor.name));
    } catch (const Unsupported& error) {
      refuse({tensor.name, "weights", {}, {}, {}, {}}, error.message());
      broken_.insert(tensor.name);
    }
  }
}

void GraphImport::run(const GraphRecord& graph) {
  define_weights(graph);
  for (const NodeRecord& record : graph.nodes) node(record);
}

std::vector<Value> GraphImport::inputs_of(const NodeRecord& record, bool& broken) const {
  std::vector<Value> inputs;
  for (const std::string& name : record.inputs) {
    const Value* const found = name.empty() ? nullptr : value(name);
    broken = broken || (found == nullptr && !name.empty());
    inputs.push_back(found != nullptr ? *found : Value{});
  }
  return inputs;
}

void GraphImport::node(const NodeRecord& record) {
  if (std::ranges::all_of(record.outputs, &std::string::empty)) return;
  if (++nodes_ > most_nodes) throw MalformedFile(fmt::format("more than {} nodes", most_nodes));
  for (const std::string& output : record.outputs)
    if (depth_ == 0 && !output.empty() && (importer_.find(output) != nullptr || broken_.contains(output)))
      throw MalformedFile(fmt::format("two nodes make '{}'", shown(output)));
  bool broken = false;
  const Call call(record, inputs_of(record, broken), importer_.opset());
  const std::size_t first_new = importer_.builder().size();
  try {
    if (!record.domain.empty() && record.domain != "ai.onnx.ml")
      throw Unsupported(fmt::format("it is of {}, whose ops graphrun does not have", shown(record.domain)));
    const bool is_control = record.op == "If" || record.op == "Loop" || record.op == "Scan";
    const bool is_known = record.op == "Constant" || record.op == "Shape" || record.op == "Size";
    if (!is_control && !is_known && import_of(record.op) == nullptr)
      throw Unsupported("graphrun does not import it");
    if (!broken) return finish(record, results(call), first_new);
  } catch (const Unsupported& error) {
    refuse(record, error.message());
  } catch (const MalformedFile&) {
    throw;
  } catch (const std::logic_error&) {  // a list that is shorter than the op's rules say
    refuse(record, "inputs or attributes that do not fit its rules");
  } catch (const Error& error) {  // sizes beyond 64 bits
    if (error.code() == ErrorCode::memory || error.code() == ErrorCode::internal) throw;
    refuse(record, error.message());
  }
  broken_.insert(record.outputs.begin(), record.outputs.end());
}

void GraphImport::finish(const NodeRecord& record, Results results, std::size_t first_new) {
  for (std::size_t i = 0; i < record.outputs.size(); ++i) {
    const std::string& name = record.outputs[i];
    if (name.empty()) continue;
    if (i >= results.size())
      throw Unsupported(fmt::format("its output {}, which graphrun does not compute", i));
    if (results[i].node && *results[i].node >= first_new) names_.try_emplace(*results[i].node, name);
    importer_.define(name, std::move(results[i]));
  }
}

Results GraphImport::results(const Call& call) {
  importer_.begin(call.record().name.empty() ? call.op() : call.record().name);
  if (call.op() == "If") return branch(call);
  if (call.op() == "Loop") return loop(call);
  if (call.op() == "Scan") return scan(call);
  if (call.op() == "Constant") {
    if (const TensorRecord* const tensor = call.tensor("value")) return {value_of(*tensor, "")};
    for (const AttributeRecord& attribute : call.record().attributes) {
      if (const auto* const number = std::get_if<float>(&attribute.value))
        return {value_of(Stored{"", {}, {*number}}, ElementType::f32)};
      if (const auto* const integer = std::get_if<std::int64_t>(&attribute.value))
        return {value_of(Known{{}, {Dim::number(*integer)}}, ElementType::i64)};
      if (const auto* const numbers = std::get_if<std::vector<float>>(&attribute.value))
        return {
            value_of(Stored{"", {static_cast<std::int64_t>(numbers->size())}, *numbers}, ElementType::f32)};
      if (const auto* const integers = std::get_if<std::vector<std::int64_t>>(&attribute.value)) {
        Known known{{static_cast<std::int64_t>(integers->size())}, {}};
        for (const std::int64_t integer : *integers) known.elements.push_back(Dim::number(integer));
        return {value_of(std::move(known), ElementType::i64)};
      }
    }
    throw Unsupported("a constant of a kind that graphrun does not read");
  }
  if (std::optional<Results> known = known_results(call)) return *known;
  if (std::optional<Results> moved = moved_weights(call)) return *moved;
  const Import import = import_of(call.op());
  if (import == nullptr) throw Unsupported("it depends on what the model is given");
  if (std::optional<Results> folded = importer_.folded(call, import)) return *folded;
  return import(importer_, call);
}

// ---- Graphs in nodes ----

std::vector<Value> GraphImport::body(const GraphRecord& graph, const std::vector<Value>& inputs) {
  if (depth_ == deepest) throw Unsupported(fmt::format("graphs in graphs, more than {} deep", deepest));
  if (inputs.size() != graph.inputs.size()) throw Unsupported("a graph of another number of inputs");
  for (std::size_t i = 0; i < inputs.size(); ++i) importer_.define(graph.inputs[i].name, inputs[i]);
  ++depth_;
  run(graph);
  --depth_;
  std::vector<Value> outputs;
  for (const ValueInfo& output : graph.outputs) {
    const Value* const found = value(output.name);
    if (found == nullptr) throw Unsupported("a node in its graph, see there");
    outputs.push_back(*found);
  }
  return outputs;
}

Results GraphImport::branch(const Call& call) {
  const std::optional<std::vector<std::int64_t>> condition = integers_of(call.input(0));
  if (!condition || condition->size() != 1)
    throw Unsupported("its condition depends on what the model is given");
  const SharedGraph chosen = call.graph(condition->front() != 0 ? "then_branch" : "else_branch");
  if (chosen == nullptr) throw Unsupported("a branch that is not there");
  return body(*chosen, {});
}

Results GraphImport::loop(const Call& call) {
  const SharedGraph graph = call.graph("body");
  if (graph == nullptr || call.size() < 2) throw Unsupported("a loop without a body");
  constexpr std::int64_t most = 1000;
  std::int64_t count = most + 1;
  if (call.has(0)) count = call.integers(0).at(0);
  bool goes_on = !call.has(1) || call.integers(1).at(0) != 0;
  std::vector<Value> carried(call.inputs().begin() + 2, call.inputs().end());
  std::vector<std::vector<Value>> scanned;
  for (std::int64_t i = 0; i < count && goes_on; ++i) {
    if (i == most) throw Unsupported(fmt::format("a loop of more than {} rounds", most));
    std::vector<Value> inputs = {value_of(Known{{}, {Dim::number(i)}}, ElementType::i64),
                                 value_of(Known{{}, {Dim::number(1)}}, ElementType::boolean)};
    inputs.insert(inputs.end(), carried.begin(), carried.end());
    std::vector<Value> outputs = body(*graph, inputs);
    const std::optional<std::vector<std::int64_t>> condition = integers_of(outputs.at(0));
    if (!condition) throw Unsupported("its end depends on what the model is given");
    goes_on = condition->at(0) != 0;
    if (outputs.size() < 1 + carried.size()) throw Unsupported("a loop of another number of outputs");
    scanned.resize(outputs.size() - 1 - carried.size());
    for (std::size_t k = 0; k < scanned.size(); ++k) scanned[k].push_back(outputs[1 + carried.size() + k]);
    carried.assign(outputs.begin() + 1, outputs.begin() + 1 + static_cast<std::ptrdiff_t>(carried.size()));
  }
  Results results = carried;
  for (const std::vector<Value>& parts : scanned) results.push_back(stacked(importer_, parts));
  return results;
}

Results GraphImport::scan(const Call& call) {
  const SharedGraph graph = call.graph("body");
  const auto many = static_cast<std::size_t>(call.integer("num_scan_inputs", 0));
  if (graph == nullptr || call.opset() < 9 || many == 0 || many > call.size())
    throw Unsupported("a scan of this form");
  const std::size_t states = call.size() - many;
  for (const char* const name : {"scan_input_axes", "scan_output_axes", "scan_output_directions"})
    for (const std::int64_t axis : call.list(name))
      if (axis != 0) throw Unsupported("a scan along another axis than the first");
  std::vector<std::int64_t> backwards = call.list("scan_input_directions");
  backwards.resize(many, 0);
  const Dim length = call.input(states).shape.at(0);
  if (!length.is_number() || length.offset > 1000)
    throw Unsupported("a scan over the batch, or over more than 1000 steps");
  for (std::size_t k = 0; k < many; ++k)
    if (const Shape& shape = call.input(states + k).shape; shape.empty() || shape[0] != length)
      throw Unsupported("a scan over inputs of several lengths");
  std::vector<Value> carried(call.inputs().begin(),
                             call.inputs().begin() + static_cast<std::ptrdiff_t>(states));
  std::vector<std::vector<Value>> scanned;
  for (std::int64_t i = 0; i < length.offset; ++i) {
    std::vector<Value> inputs = carried;
    for (std::size_t k = 0; k < many; ++k) {
      const Value& x = call.input(states + k);
      const std::int64_t at = backwards[k] != 0 ? length.offset - 1 - i : i;
      const NodeId part = importer_.sliced(importer_.node(x), 0, at, at + 1);
      inputs.push_back(
          importer_.value(importer_.reshape(part, Shape(x.shape.begin() + 1, x.shape.end())), x.type));
    }
    const std::vector<Value> outputs = body(*graph, inputs);
    if (outputs.size() < states) throw Unsupported("a scan of another number of outputs");
    scanned.resize(outputs.size() - states);
    for (std::size_t k = 0; k < scanned.size(); ++k) scanned[k].push_back(outputs[states + k]);
    carried.assign(outputs.begin(), outputs.begin() + static_cast<std::ptrdiff_t>(states));
  }
  Results results = carried;
  for (const std::vector<Value>& parts : scanned) results.push_back(stacked(importer_, parts));
  return results;
}

}  // namespace graphrun::onnx
