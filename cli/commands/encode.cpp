#include <fmt/format.h>

#include <algorithm>

#include "cli/arguments.hpp"
#include "cli/array_file.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/examples_source.hpp"
#include "cli/finite.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "cli/output/figures_text.hpp"

namespace graphrun::cli {

namespace {

class EncodeCommand final : public Command {
 public:
  std::string name() const override { return "encode"; }
  std::string about() const override {
    return "Turns images into codes: output `code` for each, and labels, as NPY or CSV.";
  }
  void declare(Arguments& arguments) override {
    trained_.declare(arguments);
    source_.declare(arguments);
    arguments.option("--out", out_, "FILE",
                     "codes.npy or codes.csv (default: codes.npy in the run directory)");
  }
  int run(Context& context) override {
    TrainedModel trained = open_trained(trained_, context.flags, context.console, {.outputs = {"code"}});
    const std::string out = out_.empty() ? default_output(trained_, "codes.npy") : out_;
    require_array_name(out);
    const NamedExamples data = source_.load(*trained.model, context.console);
    const train::OutputValues codes = trained.learner.run({"code"}, data.examples).front();
    require_finite(codes);
    write_array(out, codes, labels_of(data));
    const std::int64_t count = codes.extents.front();
    const std::string shape = to_string(codes.extents);
    return answer(context, files::JsonObject().set("file", out).set("count", count).set("shape", shape),
                  fmt::format("{} codes {} of {}: {}\n", files::grouped(count), shape, data.name, out));
  }

 private:
  static std::span<const std::int32_t> labels_of(const NamedExamples& data) {
    const auto count = std::min(data.images->labels.size(), static_cast<std::size_t>(data.examples.count));
    return std::span(data.images->labels).first(count);
  }

  TrainedFlags trained_;
  ExamplesFlags source_;
  std::string out_;
};

}  // namespace

std::unique_ptr<Command> encode_command() {
  return std::make_unique<EncodeCommand>();
}

}  // namespace graphrun::cli
