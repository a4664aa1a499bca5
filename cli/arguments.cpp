#include "cli/arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <utility>

#include "cli/help.hpp"
#include "cli/suggest.hpp"
#include "graphrun/error.hpp"
#include "graphrun/version.hpp"
#include "language/recipe/keys.hpp"
#include "runtime/products/provider.hpp"

namespace graphrun::cli {

/// One subcommand as CLI11 sees it. CLI11 never gets to judge what is missing or unknown: it cannot suggest.
class Arguments::Implementation {
 public:
  explicit Implementation(CLI::App& app) : app_(app) {}

  void positional(const std::string& name, std::string& into, const std::string& help, bool required) {
    app_.add_option(name, into, help)->type_name("");
    if (required) required_.emplace_back(name, &into);
  }

  CLI::App& app() { return app_; }

  void require_positionals() const {
    for (const auto& [name, value] : required_)
      if (value->empty())
        throw Error(ErrorCode::usage, fmt::format("{} is missing; usage: graphrun {} {} [FLAGS]", name,
                                                  app_.get_name(), usage()));
  }

 private:
  std::string usage() const {
    std::string text;
    for (const auto& [name, value] : required_) text += (text.empty() ? "" : " ") + name;
    return text;
  }

  CLI::App& app_;
  std::vector<std::pair<std::string, const std::string*>> required_;
};

void Arguments::positional(const std::string& name, std::string& into, const std::string& help,
                           bool required) {
  implementation_.positional(name, into, help, required);
}

void Arguments::words(const std::string& name, std::vector<std::string>& into, const std::string& help) {
  implementation_.app().add_option(name, into, help)->type_name("")->expected(0, -1);
}

void Arguments::flag(const std::string& name, bool& into, const std::string& help) {
  implementation_.app().add_flag(name, into, help);
}

void Arguments::option(const std::string& name, std::string& into, const std::string& value,
                       const std::string& help) {
  implementation_.app().add_option(name, into, help)->type_name(value);
}

void Arguments::option(const std::string& name, std::optional<std::int64_t>& into, const std::string& value,
                       const std::string& help) {
  implementation_.app().add_option(name, into, help)->type_name(value);
}

void Arguments::option(const std::string& name, std::vector<std::string>& into, const std::string& value,
                       const std::string& help) {
  implementation_.app()
      .add_option(name, into, help)
      ->type_name(value)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void Arguments::pair(const std::string& name, std::vector<std::int64_t>& into, const std::string& value,
                     const std::string& help) {
  implementation_.app().add_option(name, into, help)->type_name(value)->expected(2);
}

void Arguments::option_with_default(const std::string& name, bool& given, std::string& into,
                                    const std::string& value, const std::string& help) {
  implementation_.app()
      .add_option_function<std::vector<std::string>>(
          name,
          [&given, &into](const std::vector<std::string>& values) {
            given = true;
            if (!values.empty() && !values.front().empty()) into = values.front();
          },
          help)
      ->type_name(value)
      ->expected(0, 1);
}

namespace {

/// All options that are numbers are whole ones. CLI11 says "Could not convert: --first = ten".
std::string no_number(std::string_view complaint) {
  constexpr std::string_view before = "Could not convert: ";
  constexpr std::string_view between = " = ";
  const std::size_t equals = complaint.find(between);
  if (!complaint.starts_with(before) || equals == std::string_view::npos)
    return fmt::format("a whole number is wanted where another word stands ({})", complaint);
  const std::string_view flag = complaint.substr(before.size(), equals - before.size());
  const std::string_view word = complaint.substr(equals + between.size());
  const std::string_view digits = word.substr(word.starts_with('-') ? 1 : 0);
  const bool is_whole = !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
  return is_whole ? fmt::format("{} takes no number as large as {}", flag, word)
                  : fmt::format("{} takes a whole number, not '{}'", flag, word);
}

/// CLI11 says "--threads: At Most 1 required but received 2".
std::string wrong_count(std::string_view complaint) {
  constexpr std::string_view too_many = ": At Most 1 required but received ";
  const std::size_t at = complaint.find(too_many);
  if (at == std::string_view::npos) return std::string(complaint);
  return fmt::format("{} is given {} times; once is meant", complaint.substr(0, at),
                     complaint.substr(at + too_many.size()));
}

std::uint64_t seed_from(const std::string& word) {
  std::int64_t seed = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), seed);
  if (error == std::errc() && end == word.data() + word.size() && seed >= 0)
    return static_cast<std::uint64_t>(seed);
  throw Error(ErrorCode::usage, fmt::format("--seed takes a whole number from 0 to {}, not '{}'",
                                            std::numeric_limits<std::int64_t>::max(), word));
}

bool is_flag(const std::string& word) {
  return word.size() > 1 && word.front() == '-';
}

bool looks_like_model(const std::string& word) {
  const std::string suffix = std::filesystem::path(word).extension();
  return suffix == ".yaml" || suffix == ".yml" || std::filesystem::exists(word);
}

void add_common_flags(CLI::App& app, CommonFlags& flags) {
  app.add_option("--set", flags.sets, "change a var (units=10) or a key (train.epochs=5); repeatable")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option_function<std::string>(
         "--seed", [&flags](const std::string& word) { flags.seed = seed_from(word); },
         "use this seed instead of the model's")
      ->type_name("N");
  app.add_option("--threads", flags.threads, "worker threads; 0, the default: all cores")->type_name("N");
  app.add_option("--provider", flags.provider, "who runs products: auto, the default, onednn or tiles")
      ->type_name("NAME");
  app.add_option("--precision", flags.precision,
                 "what products read, instead of the model's: f32, bf16 or bf16-emulated")
      ->type_name("NAME");
  app.add_flag("--json", flags.json, "print the result as one JSON object on stdout");
  app.add_flag("-q,--quiet", flags.quiet, "no log");
  app.add_flag("-v,--verbose", flags.verbose, "more log");
  app.add_flag("--no-progress", flags.no_progress, "no progress bar");
}

std::vector<std::string> flag_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

/// What is no flag may be a key of the model: "--epochs", "--learning-rate".
std::string as_setting(std::string word) {
  word.erase(0, word.find_first_not_of('-'));
  std::ranges::replace(word, '-', '_');
  for (const auto& [section, path] :
       {std::pair("train", "train."), std::pair("data", "data."), std::pair("optimizer", "train.optimizer.")})
    for (const Key& key : section_of(section).keys)
      if (key.name == word || std::ranges::find(key.also, word) != key.also.end())
        return fmt::format("; it is a key of the model: --set {}{}=…", path, key.name);
  return {};
}

[[noreturn]] void report_extra(const std::vector<std::string>& extras, const CLI::App& app,
                               const CLI::App& command) {
  const auto flag = std::find_if(extras.begin(), extras.end(), is_flag);
  if (flag == extras.end())
    throw Error(ErrorCode::usage, fmt::format("unexpected argument '{}'; see graphrun {} --help",
                                              extras.front(), command.get_name()));
  std::vector<std::string> known = flag_names(command);
  for (std::string& name : flag_names(app)) known.push_back(std::move(name));
  const std::string asked = flag->substr(0, flag->find('='));
  const std::string setting = as_setting(asked);
  throw Error(ErrorCode::usage, fmt::format("graphrun {} has no flag '{}'{}", command.get_name(), asked,
                                            setting.empty() ? did_you_mean(asked, known) : setting));
}

/// The command a word names, or train for a bare path to a model; throws for anything else.
std::string command_named(const std::string& word, std::span<const std::unique_ptr<Command>> commands) {
  std::vector<std::string> names;
  for (const auto& command : commands) {
    if (command->name() == word) return word;
    names.push_back(command->name());
  }
  if (looks_like_model(word)) return "train";
  throw Error(ErrorCode::usage, fmt::format("there is no command '{}', nor a file of that name{}", word,
                                            did_you_mean(word, names)));
}

/// Where the first word that is neither a flag nor a flag's value stands.
std::size_t first_word(std::span<const std::string> words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!is_flag(words[i])) return i;
    constexpr std::array<std::string_view, 5> with_value = {"--set", "--seed", "--threads", "--provider",
                                                            "--precision"};
    if (std::ranges::find(with_value, words[i]) != with_value.end()) ++i;
  }
  return words.size();
}

bool asks_for(std::span<const std::string> words, std::string_view short_name, std::string_view long_name) {
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& word) { return word == short_name || word == long_name; });
}

void check_flags(const CommonFlags& flags) {
  if (flags.threads < 0 || flags.threads > 4096)
    throw Error(ErrorCode::usage,
                fmt::format("--threads {} is out of range: 0 (all cores) to 4096", flags.threads));
  if (!runtime::provider_choice(flags.provider))
    throw Error(ErrorCode::usage,
                fmt::format("there is no provider '{}'; there are auto, onednn and tiles", flags.provider));
  if (!flags.precision.empty() && !precision_named(flags.precision))
    throw Error(
        ErrorCode::usage,
        fmt::format("there is no precision '{}'; there are f32, bf16 and bf16-emulated", flags.precision));
  if (flags.quiet && flags.verbose) throw Error(ErrorCode::usage, "--quiet and --verbose exclude each other");
  for (const std::string& set : flags.sets)
    if (set.find('=') == std::string::npos || set.front() == '=')
      throw Error(ErrorCode::usage,
                  fmt::format("--set {}: write it as NAME=VALUE, for instance --set units=10", set));
}

ArgumentDescription description_of(const CLI::Option& option) {
  ArgumentDescription argument;
  argument.value = option.get_type_name();
  argument.help = option.get_description();
  argument.by_place = option.get_positional();
  argument.value_is_optional = option.get_items_expected_min() == 0;
  for (const std::string& name : option.get_snames()) argument.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) argument.names.push_back("--" + name);
  if (argument.by_place) argument.names = {option.get_name(true)};
  if (option.get_items_expected_max() == 0) argument.value.clear();
  return argument;
}

std::vector<ArgumentDescription> descriptions_of(const CLI::App& app) {
  std::vector<ArgumentDescription> arguments;
  for (const CLI::Option* option : app.get_options()) arguments.push_back(description_of(*option));
  return arguments;
}

}  // namespace

std::vector<CommandDescription> describe_commands(std::span<const std::unique_ptr<Command>> commands) {
  std::vector<CommandDescription> all;
  for (const std::unique_ptr<Command>& command : commands) {
    CLI::App app;
    app.set_help_flag("");
    Arguments::Implementation implementation(app);
    Arguments arguments(implementation);
    command->declare(arguments);
    all.push_back({command->name(), command->about(), descriptions_of(app)});
  }
  return all;
}

std::vector<ArgumentDescription> describe_common_flags() {
  CommonFlags flags;
  CLI::App app;
  app.set_help_flag("");
  add_common_flags(app, flags);
  return descriptions_of(app);
}

Invocation parse_command_line(std::span<const std::string> words,
                              std::span<const std::unique_ptr<Command>> commands) {
  const std::size_t at = first_word(words);
  if (asks_for(words, "--version", "--version")) return {.text = "graphrun " + std::string(version) + "\n"};
  if (at == words.size()) {
    if (words.empty() || asks_for(words, "-h", "--help")) return {.text = main_help()};
    throw Error(ErrorCode::usage, "a command or a model file is missing; see graphrun --help");
  }
  const bool help_word = words[at] == "help";
  if (help_word && at + 1 == words.size()) return {.text = main_help()};
  const std::string chosen = command_named(help_word ? words[at + 1] : words[at], commands);

  CLI::App app;
  Invocation invocation;
  app.allow_extras();
  app.set_help_flag("");
  add_common_flags(app, invocation.flags);
  const auto command = std::find_if(commands.begin(), commands.end(),
                                    [&](const auto& candidate) { return candidate->name() == chosen; });
  CLI::App* subcommand = app.add_subcommand(chosen, (*command)->about());
  subcommand->fallthrough()->allow_extras();
  subcommand->set_help_flag("");
  Arguments::Implementation implementation(*subcommand);
  Arguments arguments(implementation);
  (*command)->declare(arguments);
  if (help_word || asks_for(words, "-h", "--help"))
    return {.text = command_help(subcommand->help("graphrun"), describe_common_flags())};

  // CLI11 takes the words in reverse; a bare path gets its command put before it.
  std::vector<std::string> reversed(words.rbegin(), words.rend());
  if (words[at] != chosen) reversed.insert(reversed.end() - static_cast<std::ptrdiff_t>(at), chosen);
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ConversionError& error) {
    throw Error(ErrorCode::usage, fmt::format("{}; see graphrun {} --help", no_number(error.what()), chosen));
  } catch (const CLI::ParseError& error) {
    throw Error(ErrorCode::usage,
                fmt::format("{}; see graphrun {} --help", wrong_count(error.what()), chosen));
  }
  if (const std::vector<std::string> extras = app.remaining(true); !extras.empty())
    report_extra(extras, app, *subcommand);
  implementation.require_positionals();
  check_flags(invocation.flags);
  invocation.command = command->get();
  return invocation;
}

}  // namespace graphrun::cli
