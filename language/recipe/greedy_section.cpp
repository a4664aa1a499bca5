#include <fmt/format.h>

#include "language/expand/expand_nodes.hpp"
#include "language/expand/references.hpp"
#include "language/recipe/model_section.hpp"
#include "language/recipe/section_reader.hpp"
#include "language/recipe/sections.hpp"

namespace graphrun {
namespace {

const char* const example = "Write e.g. {encoder: [enc, code], decoder: [dec, recon]}.";

struct Layer {
  NodeId input;
  NodeId output;
  Place place;  ///< where the list names it
};

class GreedyReader {
 public:
  GreedyReader(const YamlNode& section, std::string phase, Expansion& expansion)
      : section_(section), phase_(std::move(phase)), expansion_(expansion), reader_(section, expansion) {}

  std::optional<GreedyRecipe> read() {
    const std::size_t mistakes = expansion_.diagnostics.count();
    if (!reader_.is_mapping("`greedy:` is a mapping", example)) return std::nullopt;
    reader_.check(greedy_section);
    const std::vector<Layer> encoder = layers("encoder");
    const std::vector<Layer> decoder = layers("decoder");
    if (expansion_.diagnostics.count() == mistakes) check_pairs(encoder, decoder);
    if (expansion_.diagnostics.count() > mistakes) return std::nullopt;
    GreedyRecipe recipe{.encoder = nodes_of(encoder),
                        .decoder = nodes_of(decoder),
                        .corrupted = {},
                        .where = reader_.where()};
    if (const YamlNode* corrupt = reader_.find("corrupt")) recipe.corrupted = corrupted(*corrupt, encoder);
    if (expansion_.diagnostics.count() > mistakes) return std::nullopt;
    return recipe;
  }

 private:
  std::string name(NodeId id) const { return expansion_.builder.node(id).name; }
  std::string shape(NodeId id) const { return to_string(expansion_.builder.type(id).shape); }
  bool same_type(NodeId a, NodeId b) const {
    return expansion_.builder.type(a) == expansion_.builder.type(b);
  }
  void wrong(const Place& place, std::string message, std::string fix = {}) {
    expansion_.diagnostics.error(place, std::move(message), std::move(fix));
  }

  std::vector<Layer> layers(const char* key) {
    const YamlNode* list = reader_.find(key);
    if (list == nullptr || !list->is_sequence()) {
      if (section_.find(key) == nullptr)
        reader_.wrong(section_, fmt::format("`greedy:` does not name the layers of its {}", key), example);
      else if (list != nullptr)
        reader_.wrong(*list, fmt::format("`{}:` is a list of nodes, not {}", key, describe_kind(*list)),
                      example);
      return {};
    }
    std::vector<Layer> result;
    for (const YamlNode& item : list->items) append(item, result);
    if (result.empty() && list->items.empty())
      reader_.wrong(*list, fmt::format("`{}:` names no layer", key), example);
    check_chain(result);
    return result;
  }

  void append(const YamlNode& item, std::vector<Layer>& result) {
    const Instance* instance = named(expansion_.top, item);
    if (instance == nullptr || !instance->node) return;
    const std::vector<Instance> itself = {*instance};
    for (const Instance& copy : instance->repeated ? instance->copies : itself) {
      if (!copy.node) continue;
      if (!copy.input)
        return wrong(
            item.place,
            fmt::format("'{}' is no layer: it does not say which node it is computed from", item.text),
            "A layer is a call with an input, as {op: dense, in: x, units: 30}.");
      result.push_back({*copy.input, *copy.node, item.place});
    }
  }

  void check_chain(const std::vector<Layer>& layers) {
    for (std::size_t i = 1; i < layers.size(); ++i) {
      if (layers[i].input == layers[i - 1].output) continue;
      wrong(layers[i].place,
            fmt::format("the layers do not follow one another: '{}' is computed from '{}', not from '{}'",
                        name(layers[i].output), name(layers[i].input), name(layers[i - 1].output)),
            "Name the layers in the order in which values flow.");
    }
  }

  void check_pairs(const std::vector<Layer>& encoder, const std::vector<Layer>& decoder) {
    if (encoder.size() != decoder.size())
      return wrong(
          section_.find("decoder")->place,
          fmt::format("the encoder has {} layers and the decoder {}; each layer of the encoder needs "
                      "one of the decoder, outside in",
                      encoder.size(), decoder.size()));
    for (std::size_t i = 0; i < encoder.size(); ++i) {
      const Layer& in = encoder[i];
      const Layer& out = decoder[decoder.size() - 1 - i];
      if (!same_type(in.output, out.input))
        wrong(out.place, fmt::format("'{}' takes {}, but its pair '{}' gives {}", name(out.output),
                                     shape(out.input), name(in.output), shape(in.output)));
      else if (!same_type(in.input, out.output))
        wrong(out.place, fmt::format("'{}' is {}, but should reconstruct what '{}' is computed from, {}",
                                     name(out.output), shape(out.output), name(in.output), shape(in.input)));
    }
  }

  static std::vector<GreedyRecipe::Layer> nodes_of(const std::vector<Layer>& layers) {
    std::vector<GreedyRecipe::Layer> result;
    for (const Layer& layer : layers) result.push_back({layer.input, layer.output});
    return result;
  }

  std::vector<NodeId> corrupted(const YamlNode& call, const std::vector<Layer>& encoder) {
    for (const char* const key : {"in", "repeat", "params"}) {
      if (const YamlNode* found = call.find(key)) {
        reader_.wrong(*found,
                      fmt::format("`corrupt:` has no `{}:`; it is given what the layer is given", key),
                      "Write e.g. corrupt: {op: masking, amount: 0.25}.");
        return {};
      }
    }
    if (!call.is_mapping()) {
      reader_.wrong(call, fmt::format("`corrupt:` calls an op or block, not {}", describe_kind(call)),
                    "Write e.g. corrupt: {op: masking, amount: 0.25}.");
      return {};
    }
    const std::string prefix = phase_.empty() ? "greedy" : "greedy." + phase_;
    const NodeDeclaration noise = read_call(prefix, call, expansion_.diagnostics);
    std::vector<NodeId> nodes;
    for (std::size_t i = 0; i < encoder.size(); ++i) {
      const std::optional<NodeId> node =
          apply(expansion_, noise, encoder[i].input, fmt::format("{}.{}", prefix, i));
      if (!node) return {};
      if (!same_type(*node, encoder[i].input)) {
        reader_.wrong(call, fmt::format("what is corrupted keeps its shape: {} became {}",
                                        shape(encoder[i].input), shape(*node)));
        return {};
      }
      nodes.push_back(*node);
    }
    return nodes;
  }

  const YamlNode& section_;
  std::string phase_;
  Expansion& expansion_;
  SectionReader reader_;
};

}  // namespace

std::optional<GreedyRecipe> read_greedy(const YamlNode& section, const std::string& phase,
                                        Expansion& expansion) {
  return GreedyReader(section, phase, expansion).read();
}

}  // namespace graphrun
