#include "graphrun/model.hpp"

#include "api/boundary.hpp"
#include "api/table_text.hpp"
#include "api/type.hpp"
#include "graph/op.hpp"
#include "language/recipe/definition.hpp"
#include "train/datasets/tables/fit_table.hpp"
#include "train/datasets/tables/table_text.hpp"
#include "train/learn/definition.hpp"

namespace graphrun {

using api::at_boundary;

namespace {

template <class Term>
std::vector<std::string> names_of(const std::vector<Term>& terms) {
  std::vector<std::string> names;
  names.reserve(terms.size());
  for (const Term& term : terms) names.push_back(term.name);
  return names;
}

}  // namespace

Model::Model(std::shared_ptr<const ModelDefinition> definition) : definition_(std::move(definition)) {}
Model::Model(const Model&) = default;
// One that was moved from is the same model still: what is shared and never changes is as soon copied.
Model::Model(Model&& other) noexcept : definition_(other.definition_) {}
Model& Model::operator=(const Model&) = default;
Model& Model::operator=(Model&& other) noexcept {
  definition_ = other.definition_;
  return *this;
}
Model::~Model() = default;

Model Model::load(const std::string& path, std::span<const std::string> settings) {
  return at_boundary([&] { return Model(train::load_definition(path, settings)); });
}

Model Model::parse(std::string_view text, std::string_view name, std::span<const std::string> settings,
                   const IncludeReader& include) {
  return at_boundary([&] {
    if (!include) return Model(train::parse_definition(text, std::string(name), settings));
    const auto reader = [&include](const std::string& path, std::size_t) { return include(path); };
    return Model(train::parse_definition(text, std::string(name), settings, reader));
  });
}

namespace {

/// Fits columns to the rows of a host, whatever file the model names.
Language language_for(const Table& rows) {
  Language language = train::language();
  language.fit_table = [text = api::text_of(rows)](const DataRecipe& data) {
    return train::fit_table(data, train::TableText(text, api::table_name));
  };
  return language;
}

}  // namespace

Model Model::load(const std::string& path, const Table& rows, std::span<const std::string> settings) {
  return at_boundary([&] {
    return Model(std::make_shared<const ModelDefinition>(load_model(path, settings, language_for(rows))));
  });
}

Model Model::parse(std::string_view text, const Table& rows, std::string_view name,
                   std::span<const std::string> settings, const IncludeReader& include) {
  return at_boundary([&] {
    graphrun::IncludeReader reader;
    if (include) reader = [&include](const std::string& path, std::size_t) { return include(path); };
    return Model(std::make_shared<const ModelDefinition>(
        parse_model(text, std::string(name), settings, language_for(rows), reader)));
  });
}

const std::string& Model::name() const {
  return definition_->name;
}
const std::string& Model::about() const {
  return definition_->about;
}
const std::string& Model::resolved() const {
  return definition_->resolved;
}

std::vector<TensorInfo> Model::inputs() const {
  return at_boundary([&] {
    std::vector<TensorInfo> all;
    for (const ModelInput& input : definition_->inputs)
      if (const std::optional<NodeId> id = definition_->graph.find(input.name))
        all.push_back(api::info_of(input.name, definition_->graph.node(*id).type));
    return all;
  });
}

std::vector<TensorInfo> Model::outputs() const {
  return at_boundary([&] {
    std::vector<TensorInfo> all;
    for (const NamedOutput& role : definition_->roles)
      all.push_back(api::info_of(role.name, definition_->graph.node(role.node).type));
    return all;
  });
}

std::vector<TensorInfo> Model::parameters() const {
  return at_boundary([&] {
    std::vector<TensorInfo> all;
    for (const Node& node : definition_->graph.nodes())
      if (node.op->traits.variable && node.attributes.flag("trainable"))
        all.push_back(api::info_of(node.name, node.type));
    return all;
  });
}

std::vector<NodeInfo> Model::nodes() const {
  return at_boundary([&] {
    std::vector<NodeInfo> all;
    for (const Node& node : definition_->graph.nodes()) {
      NodeInfo info{node.name, node.op->name, {}, api::info_of(node.name, node.type), {}};
      for (const NodeId input : node.inputs) info.inputs.push_back(definition_->graph.node(input).name);
      if (node.origin != nullptr) info.where = node.origin->where;
      all.push_back(std::move(info));
    }
    return all;
  });
}

std::vector<std::string> Model::loss_terms() const {
  return at_boundary([&] { return names_of(definition_->loss); });
}
std::vector<std::string> Model::metrics() const {
  return at_boundary([&] { return names_of(definition_->metrics); });
}

}  // namespace graphrun
