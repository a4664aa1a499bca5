#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/json.hpp"
#include "cli/suggest.hpp"
#include "graphrun/error.hpp"
#include "ops/reference_text.hpp"

namespace graphrun::cli {

namespace {

using ops::ReferenceEntry;

std::vector<ReferenceEntry> written_entries() {
  std::vector<ReferenceEntry> entries = ops::reference_entries();
  std::erase_if(entries, [](const ReferenceEntry& entry) { return entry.internal; });
  return entries;
}

ReferenceEntry entry_named(const std::string& name) {
  std::vector<std::string> names;
  for (const ReferenceEntry& entry : written_entries()) {
    if (entry.name == name) return entry;
    names.push_back(entry.name);
  }
  throw Error(ErrorCode::usage, fmt::format("there is no op '{}'{}", name, did_you_mean(name, names)));
}

JsonObject json_of(const ReferenceEntry& entry) {
  JsonArray inputs;
  for (const ReferenceEntry::Item& input : entry.inputs) inputs.add(input.name);
  JsonArray attributes;
  for (const ReferenceEntry::Item& attribute : entry.attributes) attributes.add(attribute.name);
  return JsonObject()
      .set("name", entry.name)
      .set("doc", entry.doc)
      .set("formula", entry.formula)
      .set("shapes", entry.shapes)
      .set("inputs", inputs)
      .set("attributes", attributes)
      .set("gradient", entry.gradient.empty() ? "yes" : entry.gradient)
      .set("block", entry.block);
}

class OpsCommand final : public Command {
 public:
  std::string name() const override { return "ops"; }
  std::string about() const override { return "Help on the ops and blocks that a model file can use."; }
  void declare(Arguments& arguments) override {
    arguments.positional("NAME", op_, "an op or a block; all of them when left out", false);
    arguments.flag("--markdown", markdown_, "the whole reference, as in docs/ops.md");
  }
  int run(Context& context) override {
    context.console.result(context.flags.json ? as_json() : as_text());
    return exit_code(ExitCode::ok);
  }

 private:
  std::string as_text() const {
    if (markdown_) return ops::reference_markdown();
    if (op_.empty()) return ops::help_index() + "\ngraphrun ops NAME says more of one.\n";
    return ops::help_text(entry_named(op_).name).value();
  }
  std::string as_json() const {
    if (!op_.empty()) return json_of(entry_named(op_)).text() + "\n";
    JsonArray all;
    for (const ReferenceEntry& entry : written_entries()) all.add(json_of(entry));
    return JsonObject().set("ops", all).text() + "\n";
  }

  std::string op_;
  bool markdown_ = false;
};

}  // namespace

std::unique_ptr<Command> ops_command() {
  return std::make_unique<OpsCommand>();
}

}  // namespace graphrun::cli
