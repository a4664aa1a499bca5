#include "cli/json.hpp"

#include "cli/console.hpp"

namespace graphrun::cli {

int answer(const Context& context, const files::JsonObject& object, std::string_view text, ExitCode code) {
  if (context.flags.json)
    context.console.result(object.text() + "\n");
  else
    context.console.result(text);
  return exit_code(code);
}

}  // namespace graphrun::cli
