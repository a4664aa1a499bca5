#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "graph/print.hpp"
#include "ops/op.hpp"
#include "train/learn/programs.hpp"

namespace graphrun::cli {

namespace {

class GraphCommand final : public Command {
 public:
  std::string name() const override { return "graph"; }
  std::string about() const override { return "Prints the graph of a model, as text or for Graphviz."; }
  void declare(Arguments& arguments) override {
    arguments.positional("FILE", file_, "the model file");
    arguments.flag("--backward", backward_,
                   "the training graph: with gradients and updates, after all passes");
    arguments.flag("--dot", dot_, "as DOT: graphrun graph FILE --dot | dot -Tsvg > graph.svg");
  }
  int run(Context& context) override {
    const SharedModel model = model_from_file(file_, context.flags);
    const std::string text =
        backward_ ? print(*train::training_program(*model, ops::registry()).graph) : print(model->graph);
    context.console.result(
        context.flags.json ? files::JsonObject().set(dot_ ? "dot" : "text", text).text() + "\n" : text);
    return exit_code(ExitCode::ok);
  }

 private:
  std::string print(const Graph& graph) const {
    return dot_ ? to_dot(graph, {.clusters = true, .colours = backward_}) : to_text(graph);
  }

  std::string file_;
  bool backward_ = false;
  bool dot_ = false;
};

}  // namespace

std::unique_ptr<Command> graph_command() {
  return std::make_unique<GraphCommand>();
}

}  // namespace graphrun::cli
