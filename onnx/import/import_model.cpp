#include "onnx/import/import_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <string_view>

#include "errors/nearest.hpp"
#include "errors/printable.hpp"
#include "files/file.hpp"
#include "files/json.hpp"
#include "graph/needed.hpp"
#include "onnx/import/external_data.hpp"
#include "onnx/import/graph_import.hpp"
#include "onnx/import/read_model.hpp"
#include "onnx/import/rewrites.hpp"
#include "onnx/import/wire_reader.hpp"
#include "onnx/import/write_model.hpp"
#include "ops/op.hpp"
#include "train/learn/checkpoint.hpp"
#include "train/learn/definition.hpp"

namespace graphrun::onnx {

namespace {

std::string shown(const std::string& name) {
  return printable(shortened(name));
}

[[noreturn]] void refuse(const ImportOptions& options, std::string message, std::string fix = {}) {
  throw ModelError({{{options.file, 0, 0}, "", "", std::move(message), "", std::move(fix), {}}});
}

void check_versions(const ReadModel& read, const ImportOptions& options) {
  for (const FunctionRecord& function : read.functions)
    if (function.opset != 0 && read.model.opset != 0 && function.opset != read.model.opset)
      refuse(options,
             fmt::format("its function '{}' is of opset {}, its graph of {}", shown(function.name),
                         function.opset, read.model.opset),
             "Inline it: onnx.inliner.inline_local_functions(model, convert_version=True).");
  const bool has_own = read.model.opset != 0 || read.domains.empty();
  if (!has_own) return;
  if (read.model.opset < oldest_imported || read.model.opset > newest_imported)
    refuse(options,
           fmt::format("the file is of opset {}; those from {} to {} are read", read.model.opset,
                       oldest_imported, newest_imported),
           "onnx.version_converter.convert_version(model, 17) makes another one of it.");
}

// ---- Inputs ----

std::vector<const ValueInfo*> inputs_of(const GraphRecord& graph) {
  std::set<std::string_view> weights;
  for (const TensorRecord& tensor : graph.initializers) weights.insert(tensor.name);
  std::vector<const ValueInfo*> inputs;
  for (const ValueInfo& input : graph.inputs)
    if (!weights.contains(input.name)) inputs.push_back(&input);
  return inputs;
}

/// Was the file made with a batch of one, everywhere? Then any other will do as well.
bool has_batch_of_one(const GraphRecord& graph) {
  const auto is_of_one = [](const ValueInfo& value) {
    return value.shape.size() > 1 && value.shape[0].symbol.empty() && value.shape[0].number == 1;
  };
  const std::vector<const ValueInfo*> inputs = inputs_of(graph);
  return !inputs.empty() &&
         std::ranges::all_of(inputs, [&](const ValueInfo* value) { return is_of_one(*value); }) &&
         std::ranges::all_of(graph.outputs, is_of_one);
}

Shape shape_of(const ValueInfo& input, bool frees_batch, const std::string& batch,
               const ImportOptions& options) {
  if (const auto given = options.shapes.find(input.name); given != options.shapes.end()) return given->second;
  const auto fix = [&] { return fmt::format("Say its shape: --shape '{}=batch,…'.", shown(input.name)); };
  if (!input.has_shape) refuse(options, fmt::format("input '{}' has no shape", shown(input.name)), fix());
  Shape shape;
  for (std::size_t axis = 0; axis < input.shape.size(); ++axis) {
    const Dimension& dimension = input.shape[axis];
    const bool is_open = !dimension.symbol.empty() || dimension.number <= 0;
    if (axis == 0 && (is_open || frees_batch)) {
      shape.push_back(Dim::batch());
    } else if (!is_open) {
      shape.push_back(Dim::number(dimension.number));
    } else if (!batch.empty() && dimension.symbol == batch) {
      shape.push_back(Dim::batch());
    } else {
      refuse(options,
             fmt::format(
                 "axis {} of input '{}' has no size{}", axis, shown(input.name),
                 dimension.symbol.empty() ? "" : fmt::format(", but a name: {}", shown(dimension.symbol))),
             fix());
    }
  }
  return shape;
}

std::string batch_symbol(const std::vector<const ValueInfo*>& inputs) {
  for (const ValueInfo* const input : inputs)
    if (!input->shape.empty() && !input->shape[0].symbol.empty()) return input->shape[0].symbol;
  return {};
}

/// All that is said of inputs is of inputs that there are.
template <class Said>
void check_names(const std::vector<const ValueInfo*>& inputs, const std::map<std::string, Said>& said,
                 const char* flag) {
  std::vector<std::string> names;
  for (const ValueInfo* const input : inputs) names.push_back(input->name);
  for (const auto& [name, value] : said)
    if (std::ranges::find(names, name) == names.end())
      throw Error(ErrorCode::usage,
                  fmt::format("{}: the file has no input '{}'. {}", flag, name, suggestion(name, names)));
}

/// The numbers in the shape that the file says, or one after the other.
Value settled(const ValueInfo& input, const std::vector<double>& numbers) {
  Extents extents;
  for (const Dimension& dimension : input.shape) extents.push_back(dimension.number);
  const auto count = static_cast<std::int64_t>(numbers.size());
  const bool fits = input.has_shape &&
                    std::ranges::all_of(extents, [](std::int64_t extent) { return extent >= 0; }) &&
                    element_count(extents) == count;
  if (!fits) extents = {count};
  if (is_float(input.type))
    return value_of(Stored{"", extents, {numbers.begin(), numbers.end()}}, input.type);
  Known known{extents, {}};
  for (const double number : numbers)
    known.elements.push_back(Dim::number(static_cast<std::int64_t>(number)));
  return value_of(std::move(known), input.type);
}

void define_inputs(Importer& importer, const GraphRecord& graph, bool frees_batch,
                   const ImportOptions& options) {
  const std::vector<const ValueInfo*> inputs = inputs_of(graph);
  check_names(inputs, options.shapes, "--shape");
  check_names(inputs, options.settled, "--value");
  for (const ValueInfo* const input : inputs) {
    if (importer.find(input->name) != nullptr)
      throw MalformedFile(fmt::format("two inputs are called '{}'", shown(input->name)));
    if (!is_float(input->type) && !is_integer(input->type))
      refuse(options, fmt::format("input '{}' is no tensor of numbers", shown(input->name)));
    if (const auto numbers = options.settled.find(input->name); numbers != options.settled.end()) {
      importer.define(input->name, settled(*input, numbers->second));
      continue;
    }
    const Shape shape = shape_of(*input, frees_batch, batch_symbol(inputs), options);
    // Whole numbers, one for each example, are labels; all others are f32.
    const bool is_label = is_integer(input->type) && shape == Shape{Dim::batch()};
    // No other node's name ends so: those of weights end with a number.
    NodeDetails details;
    details.name = input->name + "#in";
    const NodeId given = importer.builder().add(
        "input", {}, {{"shape", shape}, {"dtype", std::string(is_label ? "i32" : "f32")}},
        std::move(details));
    const NodeId node = is_label ? importer.add("cast", {given}) : given;
    if (!shape.empty() && shape[0].is_batch() && !importer.batch_input) importer.batch_input = given;
    importer.define(input->name, importer.value(node, input->type));
  }
  if (frees_batch) importer.written_batch = 1;
}

// ---- What cannot be imported ----

std::vector<Diagnostic> diagnostics_of(const std::vector<Refusal>& refusals, const ImportOptions& options) {
  std::vector<Diagnostic> all;
  for (const Refusal& refusal : refusals) {
    constexpr std::size_t most = 5;
    std::vector<std::string> names(
        refusal.nodes.begin(),
        refusal.nodes.begin() + static_cast<std::ptrdiff_t>(std::min(most, refusal.nodes.size())));
    if (refusal.nodes.size() > most) names.push_back(fmt::format("and {} more", refusal.nodes.size() - most));
    const std::string many =
        refusal.nodes.size() == 1 ? "1 node" : fmt::format("{} nodes", refusal.nodes.size());
    all.push_back(
        {{options.file, 0, 0},
         "",
         "",
         fmt::format("{}: {} ({}: {})", shown(refusal.op), refusal.reason, many, fmt::join(names, ", ")),
         "",
         "",
         {}});
  }
  return all;
}

std::optional<std::vector<std::string>> trainable_names(const ModelRecord& model) {
  for (const auto& [key, value] : model.metadata) {
    if (key != "graphrun.trainable") continue;
    // A list of words as JSON, as the export writes it.
    std::vector<std::string> names;
    for (std::size_t at = value.find('"'); at != std::string::npos;) {
      const std::size_t end = value.find('"', at + 1);
      if (end == std::string::npos) break;
      names.push_back(value.substr(at + 1, end - at - 1));
      at = value.find('"', end + 1);
    }
    return names;
  }
  return std::nullopt;
}

std::string described(const std::string& name, const Type& type) {
  return fmt::format("{} {}", name, to_string(type));
}

bool counts_rows(Importer& importer, const std::vector<std::pair<std::string, NodeId>>& outputs) {
  if (!importer.row_numbers) return false;
  std::vector<NodeId> roots;
  for (const auto& [name, node] : outputs) roots.push_back(node);
  return needed_by(importer.builder(), roots)[*importer.row_numbers];
}

Imported attempt(const ReadModel& read, bool frees_batch, const ImportOptions& options) {
  const GraphRecord& graph = read.model.graph;
  constexpr std::int64_t usual = 17;  // of files that have other domains' ops alone
  Importer importer(ops::registry(), read.model.opset == 0 ? usual : read.model.opset);
  importer.set_uses(uses_of(graph));
  define_inputs(importer, graph, frees_batch, options);
  GraphImport nodes(importer);
  nodes.run(graph);
  std::map<NodeId, std::string> wanted = nodes.names();
  std::vector<std::pair<std::string, NodeId>> outputs;
  std::vector<Refusal> refusals = nodes.refusals();
  for (const ValueInfo& output : graph.outputs) {
    const Value* const value = nodes.value(output.name);
    if (value == nullptr || !refusals.empty()) continue;
    try {
      NodeId node = importer.node(*value);
      if (importer.builder().node(node).op->traits.input) node = importer.add("linear", {node});
      outputs.emplace_back(output.name, node);
      wanted[node] = output.name;
    } catch (const Unsupported& error) {
      refusals.push_back({"output", error.message(), {shown(output.name)}});
    }
  }
  if (counts_rows(importer, outputs))
    refusals.push_back({"Range",
                        "it counts the rows, which no op of graphrun's does",
                        {shown(wanted[*importer.row_numbers])}});
  if (!refusals.empty()) throw ModelError(diagnostics_of(refusals, options));
  if (outputs.empty()) throw MalformedFile("the graph has no outputs");
  const std::map<NodeId, Variable> variables = importer.variables();
  std::map<std::string, int> uses;
  for (const auto& [name, node] : outputs) {
    const int use = ++uses[name];
    importer.builder().output(use == 1 ? name : fmt::format("{}_{}", name, use), node);
  }
  const Graph made = std::move(importer).finish();
  const std::optional<std::vector<std::string>> trainable = trainable_names(read.model);
  Written written{identifier(options.name),
                  "Imported from an ONNX file.",
                  options.data,
                  std::move(wanted),
                  variables,
                  trainable ? &*trainable : nullptr};
  const ModelText text = write_model(made, written);
  Imported imported;
  imported.model = text.text;
  imported.nodes = nodes.nodes();
  for (const auto& [id, name] : text.variables) imported.weights[name] = variables.at(id).values;
  for (const Node& node : made.nodes()) {
    if (!node.op->traits.input) continue;
    imported.input_names.push_back(text.inputs.at(imported.input_names.size()));
    imported.inputs.push_back(described(imported.input_names.back(), node.type));
  }
  imported.output_names = text.outputs;
  for (std::size_t i = 0; i < text.outputs.size(); ++i)
    imported.outputs.push_back(described(text.outputs[i], made.node(made.outputs()[i].node).type));
  return imported;
}

/// A mistake in the file is told with its name.
template <class Call>
auto with_file(const ImportOptions& options, const Call& call) {
  try {
    return call();
  } catch (const MalformedFile& error) {
    throw files::data_error(options.file, error.message());
  }
}

}  // namespace

Imported import_model(std::string_view bytes, const ImportOptions& options) {
  return with_file(options, [&] {
    ReadModel read = read_model(bytes);
    check_versions(read, options);
    read.model.graph = with_functions_inlined(std::move(read.model.graph), read.functions);
    read_external_data(read.model.graph, options.external_data);
    read.model.graph = with_own_ops(std::move(read.model.graph));
    if (has_batch_of_one(read.model.graph) && options.shapes.empty()) {
      try {
        return attempt(read, true, options);
      } catch (const ModelError&) {  // with the batch as it is written, then
      }
    }
    return attempt(read, false, options);
  });
}

void save_imported(const std::filesystem::path& folder, const Imported& imported) {
  files::create_folders(folder);
  const std::filesystem::path model = folder / "model.yaml";
  train::Learner learner(train::parse_definition(imported.model, model.string()), {});
  learner.set_weights(imported.weights);
  files::write_text_file(model, imported.model);
  train::save_checkpoint(folder / "weights.safetensors", learner);
}

Shape shape_from(const std::string& text) {
  Shape shape;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string word = text.substr(at, end - at);
    std::int64_t number = 0;
    const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    const bool is_number = error == std::errc() && rest == word.data() + word.size() && number >= 1;
    if (word != "batch" && !is_number)
      throw Error(ErrorCode::usage, fmt::format("--shape: '{}' is no size; write INPUT=batch,3,24,24", word));
    shape.push_back(word == "batch" ? Dim::batch() : Dim::number(number));
    at = end + 1;
  }
  return shape;
}

}  // namespace graphrun::onnx
