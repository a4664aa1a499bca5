#include "weights/foreign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "errors/printable.hpp"
#include "weights/match.hpp"

namespace graphrun::weights {

namespace {

/// The tensors of one layer in the file.
struct Module {
  std::string path;
  std::map<Part, const files::StoredTensor*> tensors;
};

std::vector<Module> modules_of(Convention convention, const files::SafetensorsFile& file) {
  std::map<std::string, Module> modules;
  for (const files::StoredTensor& tensor : file.tensors()) {
    const std::optional<PartName> name = part_name(convention, tensor.name);
    if (!name) continue;
    Module& module = modules[name->path];
    module.path = name->path;
    module.tensors[name->part] = &tensor;
  }
  std::vector<Module> result;
  for (auto& [path, module] : modules) result.push_back(std::move(module));
  return result;
}

bool has_shape(const files::StoredTensor& tensor, const Extents& extents) {
  return std::ranges::equal(tensor.shape, extents,
                            [](std::size_t a, std::int64_t b) { return std::cmp_equal(a, b); });
}

bool fits(Convention convention, const Layer& layer, const LayerVariable& variable,
          const files::StoredTensor& tensor) {
  return files::is_real(tensor.type) && has_shape(tensor, extents_there(convention, layer, variable));
}

/// Has the module a tensor for each variable of the layer, and none more?
bool fits(Convention convention, const Layer& layer, const Module& module) {
  constexpr std::size_t with_both_biases = 4;
  if (swaps_gates(convention, layer) && layer.variables.size() != with_both_biases) return false;
  std::set<Part> wanted;
  for (const LayerVariable& variable : layer.variables)
    wanted.insert(part_there(convention, layer, variable));
  if (has_second_bias(convention, layer)) wanted.insert(Part::recurrent_bias);
  if (!std::ranges::equal(wanted, module.tensors, {}, {}, [](const auto& tensor) { return tensor.first; }))
    return false;
  if (is_reverse(module.path) && !layer.is_reverse) return false;
  return std::ranges::all_of(layer.variables, [&](const LayerVariable& variable) {
    return fits(convention, layer, variable, *module.tensors.at(part_there(convention, layer, variable)));
  });
}

std::string shape_text(const files::StoredTensor& tensor) {
  return fmt::format("{}[{}]", files::info_of(tensor.type).name, fmt::join(tensor.shape, ", "));
}

std::string described(Convention convention, const Layer& layer) {
  std::vector<std::string> shapes;
  for (const LayerVariable& variable : layer.variables)
    shapes.push_back(graphrun::to_string(extents_there(convention, layer, variable)));
  return fmt::format("'{}' ({}, {})", layer.path, to_string(layer.kind), fmt::join(shapes, " and "));
}

class Matcher {
 public:
  Matcher(const ModelDefinition& model, const files::SafetensorsFile& file, const ForeignOptions& options)
      : file_(file), options_(options), modules_(modules_of(options.convention, file)) {
    weights_.convention = options.convention;
    weights_.layers = layers_of(model);
    is_placed_.resize(weights_.layers.size());
    is_used_.resize(modules_.size());
  }

  ForeignWeights run() {
    for (const Correspondence& entry : options_.map) place_by_map(entry);
    prefix_ = common_prefix();
    for (std::size_t layer = 0; layer < weights_.layers.size(); ++layer) place_by_name(layer);
    place_by_shape();
    require_all();
    tell_left_out();
    std::ranges::stable_sort(weights_.assignments, {}, [](const Assignment& one) { return one.layer; });
    return std::move(weights_);
  }

 private:
  Convention convention() const { return options_.convention; }

  bool is_needed(const LayerVariable& variable) const {
    return options_.needed == nullptr || options_.needed->contains(variable.name);
  }
  bool is_needed(const Layer& layer) const {
    return std::ranges::any_of(layer.variables,
                               [&](const LayerVariable& variable) { return is_needed(variable); });
  }

  Error refusal(const std::string& message) const { return files::data_error(file_.path(), message); }

  void assign(std::size_t layer, const LayerVariable& variable, const files::StoredTensor& tensor) {
    const Layer& place = weights_.layers[layer];
    if (!fits(convention(), place, variable, tensor))
      throw refusal(fmt::format("'{}' is {} and '{}' needs {}", tensor.name, shape_text(tensor),
                                variable.name,
                                graphrun::to_string(extents_there(convention(), place, variable))));
    weights_.assignments.push_back({&tensor, nullptr, &place, &variable});
    assigned_.insert(variable.name);
  }

  void place(std::size_t layer, std::size_t module) {
    for (const LayerVariable& variable : weights_.layers[layer].variables) {
      const auto found =
          modules_[module].tensors.find(part_there(convention(), weights_.layers[layer], variable));
      if (found == modules_[module].tensors.end()) continue;
      assign(layer, variable, *found->second);
      if (variable.part == Part::bias && has_second_bias(convention(), weights_.layers[layer])) {
        const auto second = modules_[module].tensors.find(Part::recurrent_bias);
        if (second != modules_[module].tensors.end() && second->second->shape == found->second->shape)
          weights_.assignments.back().added = second->second;
      }
    }
    is_placed_[layer] = true;
    is_used_[module] = true;
  }

  std::optional<std::size_t> module_called(const std::string& path) const {
    const auto found = std::ranges::find(modules_, path, &Module::path);
    if (found == modules_.end()) return std::nullopt;
    return static_cast<std::size_t>(found - modules_.begin());
  }

  void place_by_map(const Correspondence& entry) {
    for (std::size_t layer = 0; layer < weights_.layers.size(); ++layer) {
      const std::optional<std::size_t> module = module_called(entry.theirs);
      if (weights_.layers[layer].path == entry.ours && module) return place(layer, *module);
      for (const LayerVariable& variable : weights_.layers[layer].variables) {
        const files::StoredTensor* const tensor = file_.find(entry.theirs);
        if (variable.name == entry.ours && tensor != nullptr) return assign(layer, variable, *tensor);
      }
    }
    throw refusal(
        fmt::format("the file has no module or tensor '{}', or the model has no layer or variable '{}'",
                    entry.theirs, entry.ours));
  }

  /// What stands before the names of the model in the file: "module." of DataParallel, "_orig_mod." of
  /// torch.compile, "model." of whoever wraps a model. That under which most layers are found; empty where
  /// two are as good, as of a student and a teacher: shapes decide then, or it is a question.
  std::string common_prefix() const {
    std::map<std::string, std::size_t> counts;
    for (const Layer& layer : weights_.layers)
      for (const Module& module : modules_)
        if (const auto prefix = prefix_of(module.path, module_path(layer));
            prefix && fits(convention(), layer, module))
          ++counts[*prefix];
    std::string best;
    std::size_t most = 0;
    bool is_alone = true;
    for (const auto& [prefix, count] : counts) {
      if (count == most) is_alone = false;
      if (count <= most) continue;
      best = prefix;
      most = count;
      is_alone = true;
    }
    return is_alone ? best : "";
  }

  /// What a module is called here that has the layer's name: of a recurrent one, its first layer.
  std::string module_path(const Layer& layer) const {
    const bool is_recurrent = layer.kind == LayerKind::lstm || layer.kind == LayerKind::gru;
    return is_recurrent && convention() == Convention::torch ? layer.path + ".l0" : layer.path;
  }

  /// "model." of "model.enc.0" for "enc.0".
  static std::optional<std::string> prefix_of(const std::string& module, const std::string& layer) {
    if (!module.ends_with(layer)) return std::nullopt;
    const std::string prefix = module.substr(0, module.size() - layer.size());
    if (!prefix.empty() && prefix.back() != '.' && prefix.back() != '/') return std::nullopt;
    return prefix;
  }

  /// A variable by itself has its own name alone to be known by.
  void place_by_name(std::size_t layer) {
    const Layer& place = weights_.layers[layer];
    if (is_placed_[layer]) return;
    for (const LayerVariable& variable : place.variables) {
      const files::StoredTensor* const tensor = file_.find(prefix_ + variable.name);
      if (place.kind == LayerKind::free && tensor != nullptr && !assigned_.contains(variable.name))
        assign(layer, variable, *tensor);
    }
    const std::optional<std::size_t> module = module_called(prefix_ + module_path(place));
    if (module && !is_used_[*module] && fits(convention(), place, modules_[*module]))
      this->place(layer, *module);
  }

  bool is_open(std::size_t layer) const {
    const Layer& place = weights_.layers[layer];
    return !is_placed_[layer] && place.kind != LayerKind::free && is_needed(place) &&
           std::ranges::none_of(place.variables,
                                [&](const LayerVariable& v) { return assigned_.contains(v.name); });
  }

  void place_by_shape() {
    std::vector<std::size_t> places;
    for (std::size_t layer = 0; layer < weights_.layers.size(); ++layer)
      if (is_open(layer)) places.push_back(layer);
    std::vector<std::size_t> free;
    std::vector<ModuleOrder> orders;
    for (std::size_t module = 0; module < modules_.size(); ++module) {
      if (is_used_[module]) continue;
      free.push_back(module);
      orders.push_back(module_order(modules_[module].path));
    }
    if (places.empty()) return;
    const auto fits_there = [&](std::size_t place, std::size_t module) {
      return fits(convention(), weights_.layers[places[place]], modules_[free[module]]);
    };
    const std::vector<Placement> found = placements(
        places.size(), orders, fits_there, options_.is_part ? Filling::some_places : Filling::all_places);
    if (found.empty() && options_.is_part && !fits_any(places, free)) return;
    if (found.empty()) throw not_found(places, free);
    if (found.size() > 1) throw ambiguous(places, free, found);
    for (std::size_t i = 0; i < places.size(); ++i)
      if (found.front()[i] != no_module) place(places[i], free[found.front()[i]]);
  }

  bool fits_any(std::size_t place, const std::vector<std::size_t>& free) const {
    return std::ranges::any_of(free, [&](std::size_t module) {
      return fits(convention(), weights_.layers[place], modules_[module]);
    });
  }
  bool fits_any(const std::vector<std::size_t>& places, const std::vector<std::size_t>& free) const {
    return std::ranges::any_of(places, [&](std::size_t place) { return fits_any(place, free); });
  }

  /// Is there a gru, and of Keras's one with a single bias, which the other kind has?
  bool resets_before(const std::vector<std::size_t>& places, const std::vector<std::size_t>& free) const {
    const bool has_gru = std::ranges::any_of(
        places, [&](std::size_t place) { return weights_.layers[place].kind == LayerKind::gru; });
    return has_gru && convention() == Convention::keras && std::ranges::any_of(free, [&](std::size_t module) {
             const std::map<Part, const files::StoredTensor*>& tensors = modules_[module].tensors;
             if (!tensors.contains(Part::recurrent) || !tensors.contains(Part::bias)) return false;
             const std::vector<std::size_t>& kernel = tensors.at(Part::recurrent)->shape;
             return kernel.size() == 2 && kernel[1] == 3 * kernel[0] &&
                    tensors.at(Part::bias)->shape == std::vector{kernel[1]};
           });
  }

  /// Layers that no module fits, or, where each has one, that there is no order of all.
  Error not_found(const std::vector<std::size_t>& places, const std::vector<std::size_t>& free) const {
    std::vector<std::string> without;
    for (const std::size_t place : places)
      if (!fits_any(place, free)) without.push_back(described(convention(), weights_.layers[place]));
    if (!without.empty() && !options_.is_part)
      return refusal(
          fmt::format("it has no module that could be {}{}", fmt::join(without, ", "),
                      resets_before(places, free)
                          ? "; a GRU of Keras with reset_after=False is another function: bring it "
                            "by way of ONNX (graphrun import)"
                          : ""));
    return refusal(
        "its modules fit the layers of the model one by one, but not all in the order of their numbers; "
        "say which is which with --map MODULE=LAYER");
  }

  Error ambiguous(const std::vector<std::size_t>& places, const std::vector<std::size_t>& free,
                  const std::vector<Placement>& found) const {
    const auto candidate = [&](std::size_t module) {
      return module == no_module ? std::string("none of them") : "'" + modules_[free[module]].path + "'";
    };
    std::vector<std::string> open;
    std::string example;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const std::string& layer = weights_.layers[places[i]].path;
      if (found[0][i] != found[1][i])
        open.push_back(
            fmt::format("layer '{}' may be {} or {}", layer, candidate(found[0][i]), candidate(found[1][i])));
      if (example.empty() && found[0][i] != no_module)
        example = fmt::format("{}={}", modules_[free[found[0][i]]].path, layer);
    }
    return refusal(
        fmt::format("its modules fit the model in more than one way: {}; say which with --map '{}'",
                    fmt::join(open, ", "), example));
  }

  void require_any() const {
    if (!weights_.assignments.empty()) return;
    std::vector<std::string> layers;
    for (const Layer& layer : weights_.layers) layers.push_back(described(convention(), layer));
    throw refusal(fmt::format("it has no module that could be any of {}", fmt::join(layers, ", ")));
  }

  void require_all() const {
    if (options_.is_part) return require_any();
    std::vector<std::string> missing;
    for (const Layer& layer : weights_.layers)
      for (const LayerVariable& variable : layer.variables)
        if (is_needed(variable) && !assigned_.contains(variable.name))
          missing.push_back("'" + variable.name + "'");
    if (!missing.empty())
      throw refusal(
          fmt::format("nothing in it could be {} of the model; name its tensor with --map TENSOR=NAME",
                      fmt::join(missing, ", ")));
  }

  void tell_left_out() {
    for (const files::StoredTensor& tensor : file_.tensors())
      if (std::ranges::none_of(weights_.assignments, [&](const Assignment& one) {
            return one.tensor == &tensor || one.added == &tensor;
          }))
        weights_.left_out.push_back(tensor.name);
    std::ranges::sort(weights_.left_out);
  }

  const files::SafetensorsFile& file_;
  const ForeignOptions& options_;
  std::vector<Module> modules_;
  ForeignWeights weights_;
  std::vector<bool> is_placed_;
  std::vector<bool> is_used_;
  std::string prefix_;
  std::set<std::string> assigned_;
};

/// "a.{0,2}.b" as "a.0.b", "a.2.b".
std::vector<std::string> expanded(const std::string& text) {
  const std::size_t open = text.find('{');
  const std::size_t close = text.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return {text};
  std::vector<std::string> all;
  for (std::size_t begin = open + 1; begin <= close;) {
    const std::size_t end = std::min(text.find(',', begin), close);
    for (const std::string& rest : expanded(text.substr(close + 1)))
      all.push_back(text.substr(0, open) + text.substr(begin, end - begin) + rest);
    begin = end + 1;
  }
  return all;
}

}  // namespace

std::vector<Correspondence> correspondences(const std::string& text, const SourceLocation& where) {
  const std::size_t middle = text.find('=');
  const std::vector<std::string> theirs = expanded(text.substr(0, middle));
  const std::vector<std::string> ours =
      middle == std::string::npos ? std::vector<std::string>() : expanded(text.substr(middle + 1));
  if (theirs.size() != ours.size())
    throw Error(ErrorCode::usage,
                fmt::format("{} {}: it is MODULE=LAYER, with as many words in braces on both sides, "
                            "such as 'encoder.{{0,2}}=enc.{{0,1}}'",
                            where.line > 0 ? "`map:`" : "--map", text),
                where);
  std::vector<Correspondence> all;
  for (std::size_t i = 0; i < theirs.size(); ++i) all.push_back({theirs[i], ours[i]});
  return all;
}

ForeignWeights match(const ModelDefinition& model, const files::SafetensorsFile& file,
                     const ForeignOptions& options) {
  return Matcher(model, file, options).run();
}

std::string table_of(const ForeignWeights& weights) {
  std::vector<std::string> lines;
  for (const Assignment& one : weights.assignments) {
    std::string line = fmt::format("{} {} -> {} {}", one.tensor->name, shape_text(*one.tensor),
                                   one.variable->name, graphrun::to_string(one.variable->extents));
    const std::vector<std::size_t> axes = axes_of(weights.convention, *one.layer, *one.variable);
    if (const auto row = row_of(weights.convention, *one.layer, *one.variable))
      line += fmt::format(", its row {}", *row);
    if (swaps_gates(weights.convention, *one.layer)) line += ", reset and update gate swapped";
    if (one.added != nullptr) line += fmt::format(", {} added", one.added->name);
    if (!std::ranges::is_sorted(axes)) line += fmt::format(", axes {}", fmt::join(axes, ", "));
    for (const PixelAxis& pixels : pixel_axes(weights.convention, *one.layer, *one.variable))
      line += fmt::format(", pixels of axis {} from {} x {} x {} to {} x {} x {}", pixels.axis,
                          pixels.image.channels, pixels.image.height, pixels.image.width, pixels.image.height,
                          pixels.image.width, pixels.image.channels);
    lines.push_back(std::move(line));
  }
  if (!weights.left_out.empty())
    lines.push_back(fmt::format("not needed: {}", fmt::join(weights.left_out, ", ")));
  return printable(fmt::format("{}", fmt::join(lines, "\n")), LineBreaks::kept);
}

train::Learner::Weights read(const ForeignWeights& weights, const files::SafetensorsFile& file) {
  train::Learner::Weights values;
  for (const Assignment& one : weights.assignments) {
    std::vector<float> theirs = files::as_f32(one.tensor->type, file.read(*one.tensor));
    if (one.added != nullptr)
      std::ranges::transform(theirs, files::as_f32(one.added->type, file.read(*one.added)), theirs.begin(),
                             std::plus<>());
    if (const auto row = row_of(weights.convention, *one.layer, *one.variable)) {
      const std::size_t width = theirs.size() / 2;
      theirs = {theirs.begin() + static_cast<std::ptrdiff_t>(*row * width),
                theirs.begin() + static_cast<std::ptrdiff_t>((*row + 1) * width)};
    }
    values[one.variable->name] = to_ours(weights.convention, *one.layer, *one.variable, std::move(theirs));
  }
  return values;
}

bool has_module_or_tensor(const files::SafetensorsFile& file, Convention convention,
                          const std::string& name) {
  if (file.find(name) != nullptr) return true;
  return std::ranges::any_of(file.tensors(), [&](const files::StoredTensor& tensor) {
    const std::optional<PartName> part = part_name(convention, tensor.name);
    return part && part->path == name;
  });
}

std::optional<Convention> guessed(const ModelDefinition& model, const files::SafetensorsFile& file) {
  std::set<std::string> own;
  for (const Node& node : model.graph.nodes())
    if (node.op->traits.variable) own.insert(node.name);
  const auto is_of = [&](Convention convention, const files::StoredTensor& tensor) {
    const std::optional<PartName> name = part_name(convention, tensor.name);
    return name && name->part == Part::weight && !own.contains(tensor.name);
  };
  for (const Convention convention : {Convention::torch, Convention::keras})
    for (const files::StoredTensor& tensor : file.tensors())
      if (is_of(convention, tensor)) return convention;
  return std::nullopt;
}

}  // namespace graphrun::weights
