#include "language/build.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "language/expand/build_inputs.hpp"
#include "language/expand/expand_nodes.hpp"
#include "language/expand/scope_values.hpp"
#include "language/recipe/file_place.hpp"
#include "language/recipe/model_section.hpp"
#include "language/recipe/sections.hpp"
#include "language/recipe/table_section.hpp"
#include "language/values/settings.hpp"

namespace graphrun {
namespace {

/// The standard blocks are ours: a mistake in them is a bug.
std::vector<BlockDeclaration> standard_declarations(std::string_view text, Sources& sources) {
  if (text.empty()) return {};
  Diagnostics diagnostics(sources);
  const std::size_t source = sources.add("std.yaml", std::string(text));
  std::vector<BlockDeclaration> blocks = read_standard_blocks(parse_yaml(source, diagnostics), diagnostics);
  try {
    diagnostics.throw_if_any();
  } catch (const ModelError& error) {
    throw Error(ErrorCode::internal, error.what());
  }
  return blocks;
}

void build_outputs(Expansion& expansion, ModelDefinition& model) {
  for (const NodeDeclaration& output : expansion.declared.outputs) {
    const Instance instance = make(expansion.top, output, "outputs." + output.name, "");
    if (instance.node) model.roles.push_back({output.name, *instance.node});
  }
}

/// Names of users stand behind the name of their section, so that none is the program's own.
void name_outputs(const ModelDefinition& model, Builder& builder) {
  for (const NamedOutput& role : model.roles) builder.output("outputs." + role.name, role.node);
  if (model.objective) builder.output("loss", *model.objective);
  for (const LossTerm& term : model.loss) builder.output("loss." + term.name, term.node);
  for (const ModelTerm& metric : model.metrics) builder.output("metric." + metric.name, metric.node);
}

/// Parameters that no node reads, and that are nothing of the model's either.
void note_unused_parameters(const Expansion& expansion, ModelDefinition& model) {
  const Builder& builder = expansion.builder;
  const Sources& sources = expansion.diagnostics.sources();
  std::vector<bool> used(builder.size(), false);
  for (NodeId id = 0; id < builder.size(); ++id)
    for (const NodeId input : builder.node(id).inputs) used[input] = true;
  for (const NamedOutput& role : model.roles) used[role.node] = true;
  for (const LossTerm& term : model.loss) used[term.node] = true;
  for (const ModelTerm& metric : model.metrics) used[metric.node] = true;
  for (const auto& [name, parameter] : expansion.names.parameters) {
    if (used[parameter.node]) continue;
    model.notices.push_back({.where = sources.location(parameter.place),
                             .node = builder.node(parameter.node).origin->path,
                             .op = {},
                             .message = fmt::format("nothing uses the parameter '{}'", name),
                             .line = sources.line(parameter.place),
                             .fix = {},
                             .notes = {}});
  }
}

/// Each step of each phase learns on a graph of its own, which is as large as the model's at most and takes
/// memory even when it is small; each draw of it is a stage that is kept in a list.
void charge_phases(const TrainRecipe& train, std::size_t nodes, Budget& budget) {
  constexpr std::size_t smallest = 32;
  std::size_t graphs = 0;
  for (const PhaseRecipe& phase : train.phases) {
    const std::size_t layers = phase.greedy ? phase.greedy->encoder.size() : 1;
    budget.spend(Resource::elements, static_cast<std::size_t>(phase.draws) * layers);
    graphs += std::max<std::size_t>({1, layers, phase.alternate.size()});
  }
  if (graphs > 1) budget.spend(Resource::nodes, (graphs - 1) * std::max(nodes, smallest));
}

/// What is learnt, and by which phases.
void build_train(Expansion& expansion, ModelDefinition& model) {
  const std::optional<YamlNode>& train = expansion.declared.train;
  if (!train || train->is_empty()) return;
  try {
    model.train = read_train(*train, model, expansion);
    if (model.train) charge_phases(*model.train, expansion.builder.size(), expansion.budget());
  } catch (const OverBudget& over) {
    expansion.diagnostics.error(train->place, over.message(), over.fix());
  }
}

/// What is known of the rows of a table; nothing of other data.
std::optional<RowSizes> row_sizes(const std::optional<DataRecipe>& data) {
  if (!data || !data->table) return std::nullopt;
  RowSizes rows{.cells = cells_of(data->table->fitted),
                .window = data->table->windows ? data->table->windows->size : 0};
  for (const FittedColumn& column : data->table->fitted) {
    const bool is_target = column.is_target();
    if (!is_target && column.use != FittedColumn::Use::input) continue;
    rows.columns.push_back({.name = column.name, .is_category = column.is_category, .is_target = is_target});
    rows.targets += is_target ? 1 : 0;
    rows.target_is_category = rows.target_is_category || (is_target && column.is_category);
  }
  return rows;
}

/// Columns that inputs take by themselves, each once.
std::vector<TableRecipe::Named> own_columns(const ModelDeclaration& declared, const Sources& sources) {
  std::vector<TableRecipe::Named> columns;
  for (const InputDeclaration& input : declared.inputs) {
    if (!input.is_from("column")) continue;
    const Place& place = input.part ? input.part->place : input.place;
    if (std::ranges::find(columns, input.part_name(), &TableRecipe::Named::name) == columns.end())
      columns.push_back({input.part_name(), sources.location(place)});
  }
  return columns;
}

bool has_weights(const std::optional<DataRecipe>& data) {
  if (!data) return false;
  if (data->table)
    return std::ranges::any_of(data->table->fitted, [](const FittedColumn& column) {
      return column.use == FittedColumn::Use::weight;
    });
  return data->train && !data->train->weights.empty();
}

/// `$columns`: of each cell the number of its column, which all cells of a category share.
Value columns_of_cells(const std::vector<FittedColumn>& fitted) {
  ValueList columns;
  std::int64_t number = 0;
  for (const FittedColumn& column : fitted) {
    columns.insert(columns.end(), column.cells(), Value{number});
    if (column.cells() > 0) ++number;
  }
  return {Shared<ValueList>(std::move(columns))};
}

/// What is wrong with the table is told where the model names it.
std::vector<FittedColumn> fitted_columns(const DataRecipe& data, const Language& language,
                                         const YamlNode& document, const Sources& sources) {
  try {
    return language.fit_table(data);
  } catch (const Error& error) {
    const auto place = place_of_data_file(document, error.where().file, sources);
    if (!place) throw;
    throw at_place(error, error.where().file, *place);
  }
}

void fit(DataRecipe& data, const ModelDeclaration& declared, const Language& language, Expansion& expansion) {
  expansion.diagnostics.throw_if_any();
  if (!language.fit_table) {
    expansion.diagnostics.error(declared.data->place,
                                "here no tables are read, and these columns are not known",
                                "Take the model that is in a run: it says what they are.");
    expansion.diagnostics.throw_if_any();
  }
  data.table->fitted = fitted_columns(data, language, declared.document, expansion.diagnostics.sources());
}

/// `data:` comes before all else: how many cells a row has is known from its table alone.
void build_data(const ModelDeclaration& declared, const Language& language, Expansion& expansion,
                ModelDefinition& model) {
  if (!declared.data || declared.data->is_empty()) return;
  model.data = read_data(*declared.data, expansion);
  if (!model.data || !model.data->table) return;
  model.data->table->inputs = own_columns(declared, expansion.diagnostics.sources());
  if (model.data->table->fitted.empty()) fit(*model.data, declared, language, expansion);
  expansion.top.arguments.try_emplace(
      "columns", Argument{columns_of_cells(model.data->table->fitted), declared.data->place});
}

void build_graph(const ModelDeclaration& declared, const std::vector<BlockDeclaration>& standard,
                 const Language& language, Diagnostics& diagnostics, ModelDefinition& model) {
  Expansion expansion(declared, standard, *language.registry, diagnostics);
  try {
    check_vars(expansion);
    build_data(declared, language, expansion, model);
    model.inputs = build_inputs(expansion, row_sizes(model.data), has_weights(model.data));
    expand(expansion.top, declared.nodes);
    build_outputs(expansion, model);
    build_terms(expansion, model);
    build_probes(expansion, model);
    if (const YamlNode* weights = declared.document.find("weights");
        weights != nullptr && !weights->is_empty())
      model.weights = read_weights(*weights, expansion);
    build_train(expansion, model);
  } catch (const Abandoned&) {  // reported
  } catch (const OverBudget& over) {
    diagnostics.error(declared.start, over.message(), over.fix());
  }
  model.scheduled = std::move(expansion.scheduled);
  name_outputs(model, expansion.builder);
  note_unused_parameters(expansion, model);
  model.graph = std::move(expansion.builder).finish();
}

/// The document with what it includes and what is set; nothing when going on makes no sense.
std::optional<ModelDeclaration> read_document(std::size_t source, std::span<const std::string> settings,
                                              const IncludeReader& reader, Sources& sources,
                                              Diagnostics& diagnostics) {
  try {
    YamlNode document = parse_yaml(source, diagnostics);
    if (document.is_empty() && !diagnostics.empty()) return std::nullopt;
    inline_includes(document, sources.name(source), reader, sources, diagnostics);
    apply_settings(document, settings, sources, diagnostics);
    resolve_paths(document, sources);
    return read_declarations(std::move(document), diagnostics);
  } catch (const Abandoned&) {  // reported
    return std::nullopt;
  }
}

ModelDefinition build_model(std::string text, const std::string& name, std::span<const std::string> settings,
                            const Language& language, const IncludeReader& reader) {
  Sources sources;
  Diagnostics diagnostics(sources, Budget(language.limits));
  const std::size_t source = sources.add(name, std::move(text));
  std::optional<ModelDeclaration> declared = read_document(source, settings, reader, sources, diagnostics);
  if (!declared) diagnostics.throw_if_any();
  const std::vector<BlockDeclaration> standard = standard_declarations(language.standard_blocks, sources);
  ModelDefinition model;
  model.where = sources.location(declared->start);
  model.name = declared->name;
  model.about = declared->about;
  build_graph(*declared, standard, language, diagnostics, model);
  diagnostics.throw_if_any();
  if (model.data && model.data->table) write_fitted(declared->document, model.data->table->fitted);
  model.resolved = print_yaml(declared->document);
  model.budget = diagnostics.budget();
  return model;
}

}  // namespace

ModelDefinition load_model(const std::string& path, std::span<const std::string> settings,
                           const Language& language) {
  return build_model(read_model_text(path, language.limits.text + 1), path, settings, language,
                     read_model_text);
}

ModelDefinition parse_model(std::string_view text, const std::string& name,
                            std::span<const std::string> settings, const Language& language,
                            const IncludeReader& reader) {
  return build_model(std::string(text), name, settings, language, reader);
}

std::vector<BlockSummary> standard_blocks(std::string_view text) {
  Sources sources;
  std::vector<BlockSummary> result;
  for (const BlockDeclaration& block : standard_declarations(text, sources)) {
    BlockSummary summary{block.name, block.about, {}, {}};
    for (const BlockDeclaration::Name& input : block.inputs) summary.inputs.push_back(input.text);
    for (const BlockDeclaration::Argument& argument : block.arguments) {
      std::string fallback = argument.required ? "required" : print_yaml(argument.fallback);
      while (!fallback.empty() && fallback.back() == '\n') fallback.pop_back();
      summary.arguments.push_back({argument.name, std::move(fallback), argument.range});
    }
    result.push_back(std::move(summary));
  }
  return result;
}

}  // namespace graphrun
