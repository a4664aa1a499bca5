#include "language/expand/expander.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "errors/nearest.hpp"

namespace graphrun {

Expander::Expander(const ModelDeclaration& declared, const std::vector<BlockDeclaration>& standard,
                   Builder& builder, Diagnostics& diagnostics)
    : declared_(declared), builder_(builder), diagnostics_(diagnostics), budget_(diagnostics.budget()) {
  for (const YamlEntry& var : declared.vars) vars_.emplace(var.key, &var.value);
  for (const BlockDeclaration& block : standard) blocks_[block.name] = &block;
  for (const BlockDeclaration& block : declared.blocks) {
    const OpDef* op = builder.registry().find(block.name);
    if (blocks_.count(block.name) != 0 || op != nullptr) {
      diagnostics.error(block.place,
                        fmt::format("'{}' is {} of graphrun's own already", block.name,
                                    op != nullptr ? "an op" : "a block"),
                        "Choose another name.");
    } else {
      blocks_[block.name] = &block;
    }
  }
}

std::vector<Diagnostic::Note> listed(const CallNotes* notes) {
  std::vector<Diagnostic::Note> list;
  for (; notes != nullptr; notes = notes->outer.get()) list.push_back(notes->innermost);
  return list;
}

const BlockDeclaration* Expander::find_block(const std::string& name) const {
  const auto found = blocks_.find(name);
  return found == blocks_.end() ? nullptr : found->second;
}

std::vector<std::string> Expander::callable_names() const {
  std::vector<std::string> names;
  for (const auto& [name, block] : blocks_) names.push_back(name);
  for (const OpDef& op : builder_.registry().ops()) {
    if (!op.internal && !op.traits.effect && !op.traits.input) names.push_back(op.name);
  }
  return names;
}

/// Inside a standard block the mistake is in the call: that is where the reader can do something.
Place Expander::shown(const Scope& scope, const Place& place) const {
  const bool inside = scope.standard && place.source == scope.block->place.source;
  return inside ? scope.call_place : place;
}

std::string Expander::shown_path(const Scope& scope, const std::string& path) const {
  return scope.standard ? scope.shown_node : path;
}

Diagnostic& Expander::report(const Scope& scope, const Place& place, std::string message, std::string fix) {
  Diagnostic& diagnostic = diagnostics_.error(shown(scope, place), std::move(message), std::move(fix));
  diagnostic.node = shown_path(scope, scope.node);
  diagnostic.notes = listed(scope.notes.get());
  return diagnostic;
}

void Expander::abandon(const Scope& scope, const Place& place, const OverBudget& over) {
  report(scope, place, over.message(), over.fix());
  throw Abandoned{};
}

Diagnostic& Expander::report(const Scope& scope, const CallSite& site, const OpError& error) {
  Place place = site.place;
  if (error.about() == "in") place = site.inputs_place;
  const OpDef* op = builder_.registry().find(site.op);
  if (op != nullptr) {
    for (std::size_t i = 0; i < op->inputs.size() && i < site.input_places.size(); ++i) {
      if (op->inputs[i].name == error.about()) place = site.input_places[i];
    }
  }
  Place argument = shown(scope, place);
  for (const GivenAttribute& given : site.attributes) {
    if (given.name != error.about()) continue;
    // `when: $when` in a standard block: what is wrong was written at the call.
    const std::optional<Place> passed =
        scope.standard && given.yaml != nullptr ? place_of_argument(scope, *given.yaml) : std::nullopt;
    argument = passed ? *passed : shown(scope, given.value_place);
  }
  Diagnostic& diagnostic = diagnostics_.error(argument, error.message(), error.fix());
  diagnostic.node = shown_path(scope, scope.node);
  diagnostic.op = site.op;
  diagnostic.notes = listed(scope.notes.get());
  return diagnostic;
}

/// The item of a shape that is no size; the whole when it is something else.
Place Expander::wrong_size(const YamlNode& shape) {
  for (const YamlNode& item : shape.items) {
    const std::optional<Value> one = value(top_, item);
    try {
      const Shape single = shape_from({ValueList{one.value_or(Value{})}}, "shape");
      if (single.front().is_number(-1)) return item.place;
    } catch (const OpError&) {
      return item.place;
    }
  }
  return shape.place;
}

std::vector<ModelInput> Expander::inputs() {
  std::vector<ModelInput> made;
  for (const InputDeclaration& declared : declared_.inputs) {
    Instance& instance = top_.instances[declared.name];
    if (declared.broken) continue;
    top_.node = declared.name;
    const Place place = declared.place;
    ModelInput input{declared.name, InputSource::images, diagnostics_.sources().location(place)};
    Attributes attributes;
    if (declared.from) {
      const std::string& from = declared.from->text;
      if (from != "labels" && from != "images") {
        static const std::vector<std::string> known = {"images", "labels"};
        report(top_, declared.from->place,
               fmt::format("an input comes from images or labels, not {}", describe_kind(*declared.from)),
               suggestion(from, known));
        continue;
      }
      if (from == "labels") input.source = InputSource::labels;
    }
    const bool labels = input.source == InputSource::labels;
    if (labels) attributes.set("dtype", std::string("i32"));
    Shape shape = {Dim::batch()};
    if (declared.shape) {
      const std::optional<Value> written = value(top_, *declared.shape);
      if (!written) continue;
      try {
        shape = shape_from(*written, "shape");
        for (const Dim& dim : shape) {
          if (dim.is_number(-1))
            throw OpError("the size of an input's axis is at least 1, not -1",
                          "The number of examples is written batch, as in [batch, 784].", "shape");
        }
        const auto counts = [](const Dim& dim) { return !dim.is_number(); };
        if (declared_.data && !shape.empty() && std::none_of(shape.begin(), shape.end(), counts)) {
          const std::string sizes = to_string(shape);
          throw OpError(fmt::format("examples come in batches, but the shape {} has no `batch`", sizes),
                        fmt::format("Write [batch, {}.", sizes.substr(1)), "shape");
        }
        if (element_polynomial(shape).empty()) continue;
      } catch (const Error& error) {
        const auto* op_error = dynamic_cast<const OpError*>(&error);
        report(top_, wrong_size(*declared.shape), error.message(),
               op_error != nullptr ? op_error->fix() : "");
        continue;
      }
    } else if (!labels) {
      report(top_, place, fmt::format("input '{}' needs a shape", declared.name),
             fmt::format("Write `{}: {{shape: [batch, 784]}}`.", declared.name));
      continue;
    }
    attributes.set("shape", shape);
    auto origin = std::make_shared<Origin>(Origin{declared.name, diagnostics_.sources().location(place), {}});
    claim(top_, place, names_, declared.name, "input");
    instance.node = builder_.add("input", {}, std::move(attributes), {declared.name, std::move(origin), {}});
    instance.params = declared.name;
    made.push_back(std::move(input));
  }
  top_.node.clear();
  return made;
}

NodeId Expander::scheduled_input(const Schedule& schedule, const std::string& name) {
  if (schedule.shape == Schedule::Shape::constant) return builder_.constant(schedule.from);
  const NodeId id = builder_.add("input", {}, {{"shape", Shape{}}}, {name, {}, {}});
  scheduled_.push_back({builder_.node(id).name, schedule});
  return id;
}

}  // namespace graphrun
