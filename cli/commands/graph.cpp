#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "cli/output/graph_json.hpp"
#include "graph/picture.hpp"
#include "graph/print.hpp"
#include "graphrun/error.hpp"
#include "ops/op.hpp"
#include "train/learn/programs.hpp"

namespace graphrun::cli {

namespace {

class GraphCommand final : public Command {
 public:
  std::string name() const override { return "graph"; }
  std::string about() const override {
    return "Prints the graph of a model: as text, a picture, or for programs.";
  }
  void declare(Arguments& arguments) override {
    arguments.positional("FILE", file_, "the model file");
    arguments.flag("--backward", backward_,
                   "the training graph: with gradients and updates, after all passes");
    arguments.flag("--svg", svg_, "as a picture: graphrun graph FILE --svg > graph.svg");
    arguments.flag("--dot", dot_, "as DOT, for Graphviz");
  }
  int run(Context& context) override {
    const SharedModel model = model_from_file(file_, context.flags);
    if (dot_ && svg_) throw Error(ErrorCode::usage, "--dot and --svg exclude each other");
    if (backward_)
      show(context, training_graph(*model, context.flags));
    else
      show(context, model->graph);
    return exit_code(ExitCode::ok);
  }

 private:
  static Graph training_graph(const ModelDefinition& model, const CommonFlags& flags) {
    PassOptions passes;
    passes.precision = precision_of(flags).value_or(model.precision());
    return *train::training_program(model, ops::registry(), passes).graph;
  }

  void show(Context& context, const Graph& graph) const {
    const std::string text = print(graph);
    if (!context.flags.json) return context.console.result(text);
    files::JsonObject object;
    object.set(dot_ ? "dot" : svg_ ? "svg" : "text", text);
    object.set("nodes", json_of_nodes(graph)).set("outputs", json_of_outputs(graph));
    context.console.result(std::move(object).text() + "\n");
  }

  std::string print(const Graph& graph) const {
    if (svg_) return to_svg(graph);
    return dot_ ? to_dot(graph, {.clusters = true, .colours = backward_}) : to_text(graph);
  }

  std::string file_;
  bool backward_ = false;
  bool dot_ = false;
  bool svg_ = false;
};

}  // namespace

std::unique_ptr<Command> graph_command() {
  return std::make_unique<GraphCommand>();
}

}  // namespace graphrun::cli
