#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/json.hpp"
#include "cli/suggest.hpp"
#include "graphrun/error.hpp"
#include "language/reference_text.hpp"
#include "train/learn/definition.hpp"

namespace graphrun::cli {

namespace {

files::JsonArray names_of(const std::vector<ReferenceEntry::Item>& items) {
  files::JsonArray names;
  for (const ReferenceEntry::Item& item : items) names.add(item.name);
  return names;
}

files::JsonArray json_of(const std::vector<ReferenceEntry::Item>& items) {
  files::JsonArray all;
  for (const ReferenceEntry::Item& item : items) {
    files::JsonObject object;
    object.set("name", item.name).set("doc", item.doc);
    if (!item.kind.empty()) object.set("kind", item.kind).set("default", item.fallback);
    all.add(object);
  }
  return all;
}

files::JsonObject json_of(const ReferenceEntry& entry) {
  return files::JsonObject()
      .set("name", entry.name)
      .set("block", entry.block)
      .set("doc", entry.doc)
      .set("formula", entry.formula)
      .set("shapes", entry.shapes)
      .set("inputs", names_of(entry.inputs))
      .set("attributes", names_of(entry.attributes))
      .set("operands", json_of(entry.inputs))
      .set("arguments", json_of(entry.attributes))
      .set("gradient", entry.gradient.empty() ? "yes" : entry.gradient);
}

class OpsCommand final : public Command {
 public:
  std::string name() const override { return "ops"; }
  std::string about() const override { return "Help on the ops and blocks that a model file can use."; }
  void declare(Arguments& arguments) override {
    arguments.positional("NAME", op_, "an op or block; all of them when left out", false);
  }
  int run(Context& context) override {
    context.console.result(context.flags.json ? as_json() : as_text());
    return exit_code(ExitCode::ok);
  }

 private:
  [[noreturn]] void report_unknown() const {
    std::vector<std::string> names;
    for (const ReferenceEntry& entry : reference_entries(train::language()))
      if (!entry.internal) names.push_back(entry.name);
    throw Error(ErrorCode::usage, fmt::format("there is no op '{}'{}", op_, did_you_mean(op_, names)));
  }

  std::string as_text() const {
    if (op_.empty()) return help_index(train::language()) + "\ngraphrun ops NAME says more of one.\n";
    if (const std::optional<std::string> text = help_text(train::language(), op_)) return *text;
    report_unknown();
  }

  std::string as_json() const {
    files::JsonArray all;
    for (const ReferenceEntry& entry : reference_entries(train::language())) {
      if (entry.internal) continue;
      if (entry.name == op_) return json_of(entry).text() + "\n";
      all.add(json_of(entry));
    }
    if (!op_.empty()) report_unknown();
    return files::JsonObject().set("ops", all).text() + "\n";
  }

  std::string op_;
};

}  // namespace

std::unique_ptr<Command> ops_command() {
  return std::make_unique<OpsCommand>();
}

}  // namespace graphrun::cli
