#include "graph/graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "graph/op.hpp"
#include "graph/range_fault.hpp"

namespace graphrun {
namespace {

const AttributeDeclaration* find_declaration(const OpDef& op, std::string_view name) {
  for (const AttributeDeclaration& declared : op.attributes) {
    if (declared.name == name) return &declared;
  }
  return nullptr;
}

[[noreturn]] void refuse(const AttributeDeclaration& declared, const std::string& fault) {
  throw OpError(fmt::format("'{}' is {}", declared.name, fault), {}, declared.name);
}

/// Shapes are gone through axis by axis, and some things pair by pair.
constexpr std::size_t most_axes = 32;

void check_rank(const AttributeDeclaration& declared, const Attributes& attributes) {
  const auto* shape = std::get_if<Shape>(attributes.find(declared.name));
  if (shape == nullptr || shape->size() <= most_axes) return;
  refuse(declared, fmt::format("the shape of at most {} axes, not {}", most_axes, shape->size()));
}

void check_range(const AttributeDeclaration& declared, const Attributes& attributes) {
  const auto check = [&declared](auto number) {
    const auto value = static_cast<double>(number);
    if (const std::string fault = range_fault(declared.range, value); !fault.empty()) refuse(declared, fault);
  };
  const AttributeValue& value = *attributes.find(declared.name);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) check(*integer);
  if (const auto* number = std::get_if<double>(&value)) check(*number);
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value))
    std::ranges::for_each(*integers, check);
  if (declared.at_most.empty()) return;
  const double limit = attributes.number(declared.at_most);
  if (attributes.number(declared.name) > limit) {
    refuse(declared, fmt::format("at most '{}', which is {}, not {}", declared.at_most, limit,
                                 attributes.number(declared.name)));
  }
}

Attributes completed(const OpDef& op, const Attributes& written) {
  for (const auto& [name, value] : written.entries()) {
    if (find_declaration(op, name) == nullptr) {
      throw OpError(fmt::format("{} has no attribute '{}'", op.name, name), {}, name);
    }
  }
  Attributes complete;
  for (const AttributeDeclaration& declared : op.attributes) {
    const AttributeValue* value = written.find(declared.name);
    if (value == nullptr && !declared.fallback) {
      throw OpError(fmt::format("{} needs the attribute '{}'", op.name, declared.name),
                    fmt::format("Write `{}: …`: {}.", declared.name, declared.doc), declared.name);
    }
    complete.set(declared.name, value != nullptr ? *value : *declared.fallback);
  }
  for (const AttributeDeclaration& declared : op.attributes) {
    check_rank(declared, complete);
    check_range(declared, complete);
  }
  return complete;
}

void check_input_count(const OpDef& op, std::size_t count) {
  const std::size_t expected = op.inputs.size();
  if (count == expected || (op.variadic && count >= expected)) return;
  std::string names;
  for (const OperandDeclaration& input : op.inputs) names += (names.empty() ? "" : ", ") + input.name;
  throw OpError(fmt::format("{} takes {}{} input{} ({}), not {}", op.name, op.variadic ? "at least " : "",
                            expected, expected == 1 ? "" : "s", names, count),
                {}, "in");
}

}  // namespace

OpError::OpError(std::string message, std::string fix, std::string about)
    : Error(ErrorCode::model, message), fix_(std::move(fix)), about_(std::move(about)) {}

bool Graph::has_output(std::string_view name) const {
  return std::any_of(outputs_.begin(), outputs_.end(),
                     [name](const NamedOutput& output) { return output.name == name; });
}

NodeId Graph::output(std::string_view name) const {
  std::string names;
  for (const NamedOutput& output : outputs_) {
    if (output.name == name) return output.node;
    names += (names.empty() ? "" : ", ") + output.name;
  }
  throw Error(ErrorCode::usage, fmt::format("there is no output '{}'; there are: {}", name, names));
}

std::optional<NodeId> Graph::find(std::string_view name) const {
  for (std::size_t id = 0; id < nodes_.size(); ++id) {
    if (nodes_[id].name == name) return static_cast<NodeId>(id);
  }
  return std::nullopt;
}

NodeId Builder::add(std::string_view op_name, std::vector<NodeId> inputs, Attributes attributes,
                    NodeDetails details) {
  const OpDef& op = registry_->get(op_name);
  check_input_count(op, inputs.size());
  make_room();
  Node node;
  node.op = &op;
  node.attributes = completed(op, attributes);
  node.inputs = std::move(inputs);
  node.type = inferred(node);
  node.controls = std::move(details.controls);
  node.origin = details.origin ? std::move(details.origin) : served_ != nullptr ? served_->origin : origin_;
  node.name = unique_name(std::move(details.name), op);
  return append(std::move(node));
}

NodeId Builder::add(std::string_view op, std::vector<NodeId> inputs, Attributes attributes) {
  return add(op, std::move(inputs), std::move(attributes), {});
}

NodeId Builder::add_like(const Node& node, std::vector<NodeId> inputs, std::vector<NodeId> controls) {
  return add(node.op->name, std::move(inputs), node.attributes,
             {node.name, node.origin, std::move(controls)});
}

NodeId Builder::append(Node node) {
  graph_.verified_ = false;
  graph_.nodes_.push_back(std::move(node));
  return static_cast<NodeId>(size() - 1);
}

Builder Builder::again(const OpRegistry& registry, Graph graph) {
  Builder builder(registry, std::move(graph));
  builder.again_ = true;
  builder.to_come_ = builder.graph_.size();
  return builder;
}

Node Builder::take(NodeId id) {
  return std::move(is_unchanged() ? graph_.nodes_[id] : waiting_[id - *waiting_begin_]);
}

NodeId Builder::keep(Node node, bool inputs_changed_type) {
  if (is_unchanged()) {
    graph_.nodes_[size()] = std::move(node);
    --to_come_;
    return static_cast<NodeId>(size() - 1);
  }
  if (inputs_changed_type) node.type = inferred(node);
  if (counts_names_) node.name = unique_name(std::move(node.name), *node.op);
  return append(std::move(node));
}

/// From here on nodes are no longer where they were.
void Builder::make_room() {
  if (!is_unchanged()) return;
  waiting_begin_ = size() / BlockList<Node>::block_size * BlockList<Node>::block_size;
  waiting_ = graph_.nodes_.split_off(size());
  to_come_ = 0;
  graph_.verified_ = false;
  graph_.outputs_.clear();
}

namespace {

/// Sizes are multiplied without a look at overflow from here on; nothing of this size can run.
void check_countable(const Shape& shape) {
  constexpr std::int64_t most = std::int64_t{1} << 34;  // 64 GiB of f32, for each row where there are rows
  std::int64_t count = 1;
  for (const Dim dim : shape) {
    // At most the largest coefficient of the product's polynomial in the batch.
    const bool large = dim.factor > most || dim.offset > most;
    const std::int64_t size =
        large ? most : std::max<std::int64_t>(1, dim.factor + std::max<std::int64_t>(dim.offset, 0));
    if (large || size > most / count)
      throw OpError(fmt::format("the result, {}, has more than {} elements", to_string(shape), most), {},
                    "shape");
    count *= size;
  }
}

}  // namespace

Type Builder::inferred(const Node& node) const {
  std::vector<Type> types;
  types.reserve(node.inputs.size());
  for (const NodeId input : node.inputs) {
    if (input >= size()) throw Error(ErrorCode::internal, "a node uses one that is not built yet");
    types.push_back(type(input));
  }
  Type type = node.op->infer({types, node.attributes});
  check_countable(type.shape);
  return type;
}

void Builder::rename(NodeId id, std::string name) {
  Node& node = graph_.nodes_[id];
  if (node.name == name) return;
  make_room();
  graph_.verified_ = false;
  node.name = unique_name(std::move(name), *node.op);
}

std::string Builder::unique_name(std::string wanted, const OpDef& op) {
  if (wanted.empty()) {
    wanted = fmt::format("{}:{}", scope().empty() ? op.name : scope(),
                         scope().empty() ? fmt::format("{}", size()) : op.name);
  }
  if (!counts_names_) count_names();
  const std::uint32_t uses = ++name_uses_[hash_of(wanted)];
  if (uses == 1) return wanted;
  if (op.traits.variable || op.traits.input) {
    if (!is_taken(wanted)) return wanted;
    throw Error(ErrorCode::internal, fmt::format("two nodes of a graph are called '{}'", wanted));
  }
  return unique_name(fmt::format("{}_{}", wanted, uses), op);
}

bool Builder::is_taken(std::string_view name) const {
  for (NodeId id = 0; id < size(); ++id)
    if (node(id).name == name) return true;
  return false;
}

void Builder::count_names() {
  counts_names_ = true;
  name_uses_.reserve(size());
  for (const Node& node : graph_.nodes()) ++name_uses_[hash_of(node.name)];
}

void Builder::output(std::string name, NodeId node) {
  graph_.verified_ = false;
  graph_.outputs_.push_back({std::move(name), node});
}

void Builder::clear_outputs() {
  graph_.verified_ = false;
  graph_.outputs_.clear();
}

NodeId Builder::constant(double value) {
  return add("constant", {}, {{"values", std::vector<double>{value}}});
}

Graph Builder::finish() && {
  return std::move(graph_);
}

bool has_defaults(const Node& node, const std::vector<std::string>& except) {
  const std::vector<AttributeDeclaration>& declared = node.op->attributes;
  for (std::size_t i = 0; i < declared.size(); ++i) {  // in the order of the declaration
    const AttributeValue& value = node.attributes.entries()[i].second;
    if (declared[i].fallback && value == *declared[i].fallback) continue;
    if (std::ranges::find(except, declared[i].name) == except.end()) return false;
  }
  return true;
}

namespace {

void check_rule(const OpDef& op, const Rule& rule, bool is_new) {
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorCode::internal, fmt::format("the rule '{}' of {} {}", rule.name, op.name, what));
  };
  if (!is_new) fail("has the name of another");
  for (const std::string& kept : rule.keeps) {
    if (find_declaration(op, kept) == nullptr) fail(fmt::format("keeps '{}', which is no attribute", kept));
  }
  for (const AttributeDeclaration& declared : op.attributes) {
    if (declared.fallback || std::ranges::find(rule.keeps, declared.name) != rule.keeps.end()) continue;
    fail(fmt::format("does not keep '{}', which has no default", declared.name));
  }
}

}  // namespace

OpDef::OpDef() = default;
OpDef::OpDef(const OpDef& other) = default;
OpDef::OpDef(OpDef&& other) noexcept = default;
OpDef& OpDef::operator=(const OpDef& other) = default;
OpDef& OpDef::operator=(OpDef&& other) noexcept = default;
OpDef::~OpDef() = default;

OpRegistry::OpRegistry(std::vector<OpDef> ops) : ops_(std::move(ops)) {
  for (std::size_t i = 0; i < ops_.size(); ++i) {
    if (!by_name_.emplace(ops_[i].name, i).second) {
      throw Error(ErrorCode::internal, fmt::format("op '{}' is registered twice", ops_[i].name));
    }
  }
  std::set<std::string_view> rules;
  for (const OpDef& op : ops_) {
    for (const Rule& rule : op.rules) check_rule(op, rule, rules.insert(rule.name).second);
  }
}

const OpDef* OpRegistry::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &ops_[found->second];
}

const OpDef& OpRegistry::get(std::string_view name) const {
  const OpDef* op = find(name);
  if (op == nullptr) throw Error(ErrorCode::internal, fmt::format("no op is called '{}'", name));
  return *op;
}

}  // namespace graphrun
