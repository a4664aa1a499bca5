#include "onnx/import/write_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>

#include "graph/needed.hpp"
#include "graph/op.hpp"
#include "layers/patterns.hpp"
#include "onnx/import/attribute_text.hpp"
#include "onnx/import/blocks.hpp"
#include "onnx/import/names.hpp"

namespace graphrun::onnx {

namespace {

/// Infix operators and how tightly they bind.
struct Operator {
  std::string_view op;
  std::string_view symbol;
  int strength;
};
constexpr std::array<Operator, 11> operators = {{{"add", "+", 3},
                                                 {"sub", "-", 3},
                                                 {"mul", "*", 4},
                                                 {"div", "/", 4},
                                                 {"matmul", "@", 4},
                                                 {"less", "<", 2},
                                                 {"less_equal", "<=", 2},
                                                 {"greater", ">", 2},
                                                 {"greater_equal", ">=", 2},
                                                 {"equal", "==", 2},
                                                 {"not_equal", "!=", 2}}};
constexpr int atom = 9;

class ModelWriter {
 public:
  ModelWriter(const Graph& graph, const Written& options)
      : graph_(graph), options_(options), blocks_(graph, options) {}

  ModelText write();

 private:
  const Node& node(NodeId id) const { return graph_.node(id); }
  bool is_variable(NodeId id) const { return blocks_.is_variable(id); }
  void collect();
  Entry entry_of(NodeId id);
  Entry plain(NodeId id) const;
  std::optional<std::string> formula(NodeId id, int& strength);
  std::string operand(NodeId id, int strength);
  std::string number_or_name(NodeId id);
  void want(NodeId id);
  void name_entries();
  void join_repeats();
  std::string unique(const std::string& wanted);
  void name_weights();
  std::string line(const Entry& entry) const;
  std::string inputs_text(const Entry& entry) const;
  std::string inputs() const;
  std::string outputs();
  bool can_learn(NodeId output) const;
  std::string learning();

  const Graph& graph_;
  const Written& options_;
  const Blocks blocks_;
  std::set<NodeId> wanted_;
  int depth_ = 0;  ///< of formulas in formulas
  std::vector<Entry> entries_;
  std::map<NodeId, std::string> names_;
  std::set<std::string> taken_;
  ModelText result_;
};

// ---- Entries ----

Entry ModelWriter::plain(NodeId id) const {
  Entry entry;
  entry.node = id;
  entry.op = node(id).op->name;
  entry.inputs = node(id).inputs;
  entry.arguments = blocks_.attributes_of(node(id));
  if (is_variable(id))
    std::erase_if(entry.arguments, [](const auto& argument) { return argument.first == "trainable"; });
  if (is_variable(id) && !blocks_.learns(id)) entry.arguments.emplace_back("trainable", "false");
  if (entry.op != "reshape") return entry;
  // One extent of a reshape follows from the others.
  const Shape& shape = node(id).type.shape;
  for (auto& [name, text] : entry.arguments) {
    Shape written = shape;
    const auto odd =
        std::ranges::find_if(written, [](const Dim& dim) { return !dim.is_number() && !dim.is_batch(); });
    if (odd != written.end()) *odd = Dim::number(-1);
    if (name == "shape") text = text_of(AttributeValue(written));
  }
  return entry;
}

// ---- Formulas ----

std::string ModelWriter::number_or_name(NodeId id) {
  if (const std::optional<double> number = layers::constant_number(graph_, id);
      number && node(id).type.dtype == DType::f32 && std::isfinite(*number) && !blocks_.is_output(id)) {
    const std::string text = text_of(*number);
    return text.front() == '-' ? "(" + text + ")" : text;
  }
  want(id);
  return fmt::format("{{{}}}", id);  // the name, once all have one
}

std::string ModelWriter::operand(NodeId id, int strength) {
  int own = atom;
  constexpr int deepest = 5;
  constexpr std::size_t longest = 60;
  std::optional<std::string> text;
  if (depth_ < deepest && blocks_.is_inner(id) && !blocks_.found(id)) {
    ++depth_;
    text = formula(id, own);
    --depth_;
  }
  if (!text || text->size() > longest) return number_or_name(id);
  return own < strength ? "(" + *text + ")" : *text;
}

/// Only what its user shows is taken in: names inside are asked for when the text is kept.
std::optional<std::string> ModelWriter::formula(NodeId id, int& strength) {
  const Node& made = node(id);
  if (is_variable(id) || made.op->traits.input || made.op->traits.constant) return std::nullopt;
  if (!blocks_.attributes_of(made).empty()) return std::nullopt;
  const auto found = std::ranges::find(operators, made.op->name, &Operator::op);
  if (found != operators.end()) {
    strength = found->strength;
    // Comparisons and differences do not chain to the right.
    return fmt::format("{} {} {}", operand(made.inputs[0], found->strength + (found->strength == 2 ? 1 : 0)),
                       found->symbol, operand(made.inputs[1], found->strength + 1));
  }
  if (made.op->name == "pow" || made.op->name == "square") {
    strength = 6;
    const std::string exponent = made.op->name == "pow" ? operand(made.inputs[1], atom) : "2";
    return fmt::format("{} ** {}", operand(made.inputs[0], atom), exponent);
  }
  if (made.op->name == "neg") {
    strength = 5;
    return fmt::format("-{}", operand(made.inputs[0], atom));
  }
  if (!made.op->traits.elementwise) return std::nullopt;
  std::vector<std::string> inputs;
  for (const NodeId input : made.inputs) inputs.push_back(operand(input, 0));
  strength = atom;
  return fmt::format("{}({})", made.op->name, fmt::join(inputs, ", "));
}

// ---- Entries ----

void ModelWriter::want(NodeId id) {
  if (!node(id).op->traits.input) wanted_.insert(id);
}

Entry ModelWriter::entry_of(NodeId id) {
  if (std::optional<Entry> entry = blocks_.found(id)) return *entry;
  int strength = atom;
  if (const std::optional<std::string> text = formula(id, strength)) {
    Entry entry;
    entry.node = id;
    entry.formula = *text;
    return entry;
  }
  return plain(id);
}

void ModelWriter::collect() {
  for (const NodeId id : blocks_.outputs()) want(id);
  while (!wanted_.empty()) {
    const NodeId id = *wanted_.rbegin();
    wanted_.erase(id);
    Entry entry = entry_of(id);
    for (const NodeId input : entry.inputs) {
      const std::optional<double> number = layers::constant_number(graph_, input);
      if (!number || node(input).type.dtype != DType::f32 || !std::isfinite(*number)) want(input);
    }
    if (!entry.weights.empty()) {
      const LayerName name = layer_name(options_.variables.at(entry.weights[0].second).name);
      entry.stem = name.stem;
      entry.number = name.number;
      entry.path = name.path;
    }
    entries_.push_back(std::move(entry));
  }
  std::ranges::reverse(entries_);
}

std::string ModelWriter::unique(const std::string& wanted) {
  std::string name = wanted;
  for (int use = 2; !taken_.insert(name).second; ++use) name = fmt::format("{}_{}", wanted, use);
  return name;
}

/// Layers that follow each other, "enc.0", "enc.1", are one entry with `repeat`.
void ModelWriter::join_repeats() {
  std::vector<Entry> joined;
  for (std::size_t i = 0; i < entries_.size();) {
    std::size_t end = i + 1;
    const auto size_of = [](const Entry& entry) {
      return entry.arguments.empty() ? std::string() : entry.arguments[0].second;
    };
    const auto rest_of = [](Entry entry) {
      if (!entry.arguments.empty()) entry.arguments.erase(entry.arguments.begin());
      return entry.arguments;
    };
    const Entry& first = entries_[i];
    const bool has_size = first.op == "dense" || first.op == "conv2d" || first.op == "conv_transpose2d";
    const auto follows = [&](const Entry& before, const Entry& entry) {
      return has_size && entry.op == first.op && entry.stem == first.stem && entry.number > before.number &&
             before.number >= 0 && entry.inputs == std::vector<NodeId>{before.node} &&
             blocks_.is_inner(before.node) && rest_of(entry) == rest_of(first) &&
             entry.weights.size() == first.weights.size();
    };
    while (end < entries_.size() && follows(entries_[end - 1], entries_[end])) ++end;
    Entry entry = entries_[i];
    if (end - i > 1 && !taken_.contains(identifier(first.stem))) {
      std::vector<std::string> sizes;
      for (std::size_t k = i; k < end; ++k) sizes.push_back(size_of(entries_[k]));
      const bool alike =
          std::ranges::all_of(sizes, [&](const std::string& size) { return size == sizes[0]; });
      entry.repeat = alike ? fmt::format("{}", sizes.size()) : fmt::format("[{}]", fmt::join(sizes, ", "));
      if (!alike) entry.arguments[0].second = "$item";
      entry.key = unique(identifier(first.stem));
      entry.weights.clear();
      for (std::size_t k = i; k < end; ++k)
        for (const auto& [name, weight] : entries_[k].weights)
          entry.weights.emplace_back(fmt::format("{}.{}", k - i, name), weight);
      entry.path.clear();
      entry.node = entries_[end - 1].node;
      i = end;
    } else {
      ++i;
    }
    joined.push_back(std::move(entry));
  }
  entries_ = std::move(joined);
}

void ModelWriter::name_entries() {
  for (NodeId id = 0; id < graph_.size(); ++id) {
    if (!node(id).op->traits.input) continue;
    names_[id] = unique(identifier(node(id).name.substr(0, node(id).name.rfind('#'))));
    result_.inputs.push_back(names_[id]);
  }
  join_repeats();
  for (Entry& entry : entries_) {
    if (!entry.key.empty()) continue;
    const auto wanted = options_.wanted.find(entry.node);
    std::string name;
    if (!entry.weights.empty())
      name = entry.number >= 0 ? fmt::format("{}_{}", entry.stem, entry.number) : entry.stem;
    if (name.empty() && is_variable(entry.node)) name = options_.variables.at(entry.node).name;
    if (name.empty() && wanted != options_.wanted.end()) name = wanted->second;
    if (name.empty()) name = node(entry.node).op->name;
    entry.key = unique(identifier(name));
    if (entry.path == entry.key) entry.path.clear();
  }
  for (const Entry& entry : entries_) names_[entry.node] = entry.key;
}

void ModelWriter::name_weights() {
  for (const Entry& entry : entries_) {
    if (is_variable(entry.node)) result_.variables[entry.node] = entry.key;
    for (const auto& [name, weight] : entry.weights)
      result_.variables[weight] = fmt::format("{}.{}", entry.path.empty() ? entry.key : entry.path, name);
  }
}

// ---- Text ----

std::string ModelWriter::inputs_text(const Entry& entry) const {
  std::vector<std::string> texts;
  for (const NodeId input : entry.inputs) {
    const auto name = names_.find(input);
    texts.push_back(name != names_.end() ? name->second
                                         : text_of(layers::constant_number(graph_, input).value_or(0)));
  }
  if (texts.size() == 1) return texts[0];
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

std::string ModelWriter::line(const Entry& entry) const {
  if (!entry.formula.empty()) {
    std::string text;
    for (std::size_t at = 0; at < entry.formula.size(); ++at) {
      if (entry.formula[at] != '{') {
        text += entry.formula[at];
        continue;
      }
      const std::size_t end = entry.formula.find('}', at);
      text += names_.at(static_cast<NodeId>(std::stoul(entry.formula.substr(at + 1, end - at - 1))));
      at = end;
    }
    const bool needs_quotes = text.front() == '-' || text.find_first_of(":#{}[]&*!|>'\"%@`") == 0;
    return needs_quotes ? fmt::format("  {}: \"{}\"\n", entry.key, text)
                        : fmt::format("  {}: {}\n", entry.key, text);
  }
  std::string text = fmt::format("  {}: {{op: {}", entry.key, entry.op);
  if (!entry.inputs.empty()) text += fmt::format(", in: {}", inputs_text(entry));
  if (!entry.path.empty()) text += fmt::format(", params: {}", entry.path);
  if (!entry.repeat.empty()) text += fmt::format(", repeat: {}", entry.repeat);
  for (const auto& [name, value] : entry.arguments) text += fmt::format(", {}: {}", name, value);
  return text + "}\n";
}

std::string ModelWriter::inputs() const {
  std::string text;
  for (NodeId id = 0; id < graph_.size(); ++id) {
    if (!node(id).op->traits.input) continue;
    const bool is_label = node(id).type.dtype == DType::i32;
    const std::string source =
        is_label ? "from: labels" : "shape: " + text_of(AttributeValue(node(id).type.shape));
    text += fmt::format("  {}: {{{}}}\n", names_.at(id), source);
  }
  return text.empty() ? text : "inputs:\n" + text;
}

std::string ModelWriter::outputs() {
  std::string text = "outputs:\n";
  std::set<std::string> used;
  for (const NamedOutput& output : graph_.outputs()) {
    std::string name = identifier(output.name);
    for (int use = 2; !used.insert(name).second; ++use)
      name = fmt::format("{}_{}", identifier(output.name), use);
    result_.outputs.push_back(name);
    text += fmt::format("  {}: {}\n", name, names_.at(output.node));
  }
  if (!used.contains("code")) text += fmt::format("  code: {}\n", names_.at(graph_.outputs().front().node));
  return text;
}

/// Does the output depend on a weight that learns?
bool ModelWriter::can_learn(NodeId output) const {
  const std::vector<bool> needed = needed_by(graph_, std::span(&output, 1));
  return std::ranges::any_of(result_.variables, [&](const auto& weight) {
    return needed[weight.first] && blocks_.learns(weight.first);
  });
}

/// What such a model usually learns: its input again, or a label by its softmax.
std::string ModelWriter::learning() {
  const std::string train = "train: {optimizer: adam, batch: 64, epochs: 10}\n";
  std::vector<NodeId> inputs;
  for (NodeId id = 0; id < graph_.size(); ++id)
    if (node(id).op->traits.input && node(id).type.dtype == DType::f32) inputs.push_back(id);
  for (const NamedOutput& output : graph_.outputs()) {
    if (inputs.size() != 1) break;
    if (!result_.variables.empty() && !can_learn(output.node)) continue;
    const Shape& shape = node(output.node).type.shape;
    if (shape == node(inputs[0]).type.shape && !shape.empty() && shape[0].is_batch())
      return fmt::format("loss:\n  reconstruction: {{op: mse, in: [{}, {}]}}\n{}", names_.at(output.node),
                         names_.at(inputs[0]), train);
  }
  return fmt::format(
      "# To train it further, say what it shall learn, such as\n"
      "#   inputs: {{y: {{from: labels}}}}\n"
      "#   loss: {{class: {{op: cross_entropy, in: [{}, y]}}}}\n# {}",
      names_.at(graph_.outputs().front().node), train);
}

ModelText ModelWriter::write() {
  collect();
  name_entries();
  name_weights();
  std::string text = fmt::format("graphrun: 1\nname: {}\nabout: {}\n", options_.name, options_.about);
  if (!options_.data.empty()) text += fmt::format("data: {}\n", options_.data);
  text += inputs();
  text += "nodes:\n";
  for (const Entry& entry : entries_) text += line(entry);
  text += outputs();
  text += learning();
  result_.text = std::move(text);
  return std::move(result_);
}

}  // namespace

ModelText write_model(const Graph& graph, const Written& options) {
  return ModelWriter(graph, options).write();
}

}  // namespace graphrun::onnx
