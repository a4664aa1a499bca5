#include <fmt/format.h>

#include <algorithm>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/json.hpp"
#include "cli/suggest.hpp"
#include "graph/op.hpp"
#include "graphrun/error.hpp"
#include "ops/list.hpp"

namespace graphrun::cli {

namespace {

std::string list_of(const OpRegistry& registry) {
  std::size_t width = 0;
  for (const OpDef& op : registry.ops()) width = std::max(width, op.name.size());
  std::string text;
  for (const OpDef& op : registry.ops())
    if (!op.internal) text += fmt::format("{:<{}}  {}\n", op.name, width, op.doc);
  return text + "\ngraphrun ops NAME says more of one.\n";
}

std::string attribute_line(const AttributeSpec& attribute) {
  std::string text = fmt::format("  {}: {}", attribute.name, to_string(attribute.kind));
  if (!attribute.words.empty()) text += fmt::format(" ({})", fmt::join(attribute.words, ", "));
  text += attribute.fallback ? fmt::format(", default {}", to_string(*attribute.fallback)) : ", required";
  return text + fmt::format("\n      {}\n", attribute.doc);
}

std::string gradient_of(const OpDef& op) {
  if (std::holds_alternative<Vjp>(op.gradient)) return "yes";
  if (std::holds_alternative<ZeroGradient>(op.gradient)) return "zero";
  return "none: " + std::get<NotDifferentiable>(op.gradient).reason;
}

std::string help_of(const OpDef& op) {
  std::string text = fmt::format("{}: {}\n  {}\n  {}\n", op.name, op.doc, op.formula, op.shapes);
  if (!op.inputs.empty()) text += "inputs\n";
  for (const InputSpec& input : op.inputs) text += fmt::format("  {}: {}\n", input.name, input.doc);
  if (!op.attributes.empty()) text += "attributes\n";
  for (const AttributeSpec& attribute : op.attributes)
    if (!attribute.internal) text += attribute_line(attribute);
  return text + fmt::format("gradient: {}\n", gradient_of(op));
}

JsonObject json_of(const OpDef& op) {
  JsonArray inputs;
  for (const InputSpec& input : op.inputs) inputs.add(input.name);
  JsonArray attributes;
  for (const AttributeSpec& attribute : op.attributes)
    if (!attribute.internal) attributes.add(attribute.name);
  return JsonObject()
      .set("name", op.name)
      .set("doc", op.doc)
      .set("formula", op.formula)
      .set("shapes", op.shapes)
      .set("inputs", inputs)
      .set("attributes", attributes)
      .set("gradient", gradient_of(op));
}

const OpDef& op_named(const OpRegistry& registry, const std::string& name) {
  if (const OpDef* op = registry.find(name); op != nullptr && !op->internal) return *op;
  std::vector<std::string> names;
  for (const OpDef& op : registry.ops())
    if (!op.internal) names.push_back(op.name);
  throw Error(ErrorCode::usage, fmt::format("there is no op '{}'{}", name, did_you_mean(name, names)));
}

class OpsCommand final : public Command {
 public:
  std::string name() const override { return "ops"; }
  std::string about() const override { return "Help on the ops that a model file can use."; }
  void declare(Arguments& arguments) override {
    arguments.positional("NAME", op_, "an op; all ops when left out", false);
  }
  int run(Context& context) override {
    const OpRegistry& registry = ops::registry();
    context.console.result(context.flags.json ? as_json(registry) : as_text(registry));
    return exit_code(ExitCode::ok);
  }

 private:
  std::string as_text(const OpRegistry& registry) const {
    return op_.empty() ? list_of(registry) : help_of(op_named(registry, op_));
  }
  std::string as_json(const OpRegistry& registry) const {
    if (!op_.empty()) return json_of(op_named(registry, op_)).text() + "\n";
    JsonArray all;
    for (const OpDef& op : registry.ops())
      if (!op.internal) all.add(json_of(op));
    return JsonObject().set("ops", all).text() + "\n";
  }

  std::string op_;
};

}  // namespace

std::unique_ptr<Command> ops_command() {
  return std::make_unique<OpsCommand>();
}

}  // namespace graphrun::cli
