#include "show/report/report.hpp"

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/examples_source.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"

namespace graphrun::cli {

namespace {

class ReportCommand final : public Command {
 public:
  std::string name() const override { return "report"; }
  std::string about() const override {
    return "Makes report.html: one file, for a browser, with all there is to see of a run.";
  }
  void declare(Arguments& arguments) override {
    trained_.declare(arguments);
    arguments.option("--out", out_, "FILE", "the file to write (default: report.html of the run directory)");
  }
  int run(Context& context) override {
    TrainedModel trained = open_trained(trained_, context.flags, context.console);
    const SplitExamples splits = load_splits(*trained.model, context.console);
    const show::Report report =
        show::write_report(trained.learner, {*splits.data, splits.train, splits.test, metrics_file(trained_)},
                           out_.empty() ? default_output(trained_, "report.html") : out_);
    for (const std::string& note : report.notes) context.console.warning(note);
    const std::string path = report.file.string();
    return answer(context, files::JsonObject().set("file", path).set("bytes", report.bytes), path + "\n");
  }

 private:
  TrainedFlags trained_;
  std::string out_;
};

}  // namespace

std::unique_ptr<Command> report_command() {
  return std::make_unique<ReportCommand>();
}

}  // namespace graphrun::cli
