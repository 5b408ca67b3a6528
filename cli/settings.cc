#include "cli/settings.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <optional>
#include <sstream>
#include <string_view>

#include "cli/given_options.h"
#include "cli/settings_file.h"
#include "engine/errors.h"
#include "engine/nearest_name.h"

namespace bouquet::cli {
namespace {

std::vector<CLI::App*> subcommands(CLI::App& command) {
  return command.get_subcommands([](const CLI::App*) { return true; });
}

CLI::App* find_subcommand(CLI::App& command, const std::string& name) {
  for (CLI::App* child : subcommands(command))
    if (child->check_name(name)) return child;
  return nullptr;
}

struct ChosenCommand {
  CLI::App* command;
  size_t end;  // of its name in the arguments
};

ChosenCommand chosen_command(CLI::App& app, const std::vector<std::string>& arguments) {
  ChosenCommand chosen{&app, 0};
  for (size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    if (looks_like_option(arguments[i])) {
      const bool attached = arguments[i].find('=') != std::string::npos;
      const CLI::Option* option = chosen.command->get_option_no_throw(arguments[i]);
      if (!attached && option != nullptr && !is_flag(*option)) ++i;
      continue;
    }
    CLI::App* next = find_subcommand(*chosen.command, arguments[i]);
    if (next == nullptr) break;
    chosen = {next, i + 1};
  }
  return chosen;
}

void add_config_option(CLI::App& command) {
  const std::vector<CLI::App*> children = subcommands(command);
  for (CLI::App* child : children) add_config_option(*child);
  if (!children.empty() || command.get_option_no_throw("--config") != nullptr) return;
  command
      .add_option_function<std::string>(
          "--config", [](const std::string&) {}, "Read settings from this TOML file (see bouquet config)")
      ->type_name("FILE");
}

// Takes --config FILE out of the arguments, wherever it stands.
std::optional<std::string> take_config_path(std::vector<std::string>& arguments) {
  for (size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    const auto at = arguments.begin() + static_cast<std::ptrdiff_t>(i);
    if (arguments[i].starts_with("--config=")) {
      std::string path = arguments[i].substr(9);
      arguments.erase(at);
      return path;
    }
    if (arguments[i] == "--config" && i + 1 < arguments.size()) {
      std::string path = arguments[i + 1];
      arguments.erase(at, at + 2);
      return path;
    }
  }
  return std::nullopt;
}

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

absl::StatusOr<bool> truth(const std::string& text, const std::string& origin) {
  for (const char* yes : {"true", "1", "yes", "on"})
    if (text == yes) return true;
  for (const char* no : {"false", "0", "no", "off", ""})
    if (text == no) return false;
  return wrong_usage(origin + ": '" + text + "' is neither true nor false");
}

// The arguments that say `setting` to CLI11.
absl::StatusOr<std::vector<std::string>> as_arguments(const CLI::Option& option, const Setting& setting) {
  std::vector<std::string> arguments;
  if (is_flag(option)) {
    const auto on = truth(setting.values.empty() ? "" : setting.values[0], setting.origin);
    if (!on.ok()) return on.status();
    if (*on) arguments.push_back("--" + setting.name);
    return arguments;
  }
  if (setting.values.size() > 1 && !takes_several(option) && option.get_delimiter() == '\0')
    return wrong_usage(setting.origin + ": '" + setting.name + "' takes one value, not " + std::to_string(setting.values.size()));
  for (const std::string& value : setting.values) {
    if (value.empty()) {  // "--name=" would take the next argument for its value
      arguments.push_back("--" + setting.name);
      arguments.push_back(value);
    } else {
      arguments.push_back("--" + setting.name + "=" + value);
    }
  }
  return arguments;
}

// CLI11 keeps a default as text, that of a list as "[a,b]".
std::vector<std::string> default_values(const CLI::Option& option) {
  const std::string text = option.get_default_str();
  if (text.empty() || text == "[]") return {};
  if (takes_several(option) && text.front() == '[' && text.back() == ']') return split_at_commas(text.substr(1, text.size() - 2));
  return {text};
}

Setting setting_of(const CLI::App& command, const CLI::Option& option, const GivenOptions& given, const Environment& environment,
                   const SettingsFile& file) {
  Setting setting{option.get_lnames()[0], {}, "", option.get_required(), takes_several(option)};
  if (const auto flag = given.find(&option); flag != given.end()) {
    setting.values = flag->second;
    setting.origin = "flag";
  } else if (const auto variable = environment.find(variable_of(setting.name)); variable != environment.end()) {
    setting.values = setting.is_list ? split_at_commas(variable->second) : std::vector{variable->second};
    setting.origin = variable->first;
  } else if (const FileValue* value = file.find(command, setting.name)) {
    setting.values = value->texts;
    setting.origin = value->place;
  } else if (is_flag(option)) {
    setting.values = {"false"};
    setting.origin = "default";
  } else {
    setting.values = default_values(option);
    setting.origin = setting.values.empty() ? "not set" : "default";
  }
  return setting;
}

bool asks_for_help(const std::vector<std::string>& arguments) {
  return std::any_of(arguments.begin(), arguments.end(), [](const std::string& a) { return a == "--help" || a == "-h"; });
}

// The argument that CLI11's message says it did not expect: of several, the first that looks like a flag.
std::string unexpected_argument(const std::string& message) {
  std::istringstream words(message.substr(message.find(": ") + 1));
  std::string first, word;
  while (words >> word) {
    if (first.empty() || (!first.starts_with("--") && word.starts_with("--"))) first = word;
  }
  return first.substr(0, first.find('='));
}

// CLI11's own words, and where a value came from that was not typed.
std::string explained(const CLI::ParseError& error, const CommandLine& line) {
  std::string message = error.what();
  for (const Setting& setting : line.settings)
    if (setting.origin != "flag" && setting.origin != "default" && setting.origin != "not set" &&
        message.find("--" + setting.name) != std::string::npos)
      message += " (--" + setting.name + " comes from " + setting.origin + ")";
  std::vector<std::string> known;
  for (const CLI::Option* option : line.command->get_options())
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  for (const CLI::App* child : line.command->get_subcommands([](const CLI::App*) { return true; })) known.push_back(child->get_name());
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) message += did_you_mean(unexpected_argument(message), known);
  return message;
}

}  // namespace

Environment process_environment() {
  Environment variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const size_t equals = text.find('=');
    if (text.starts_with("BOUQUET_") && equals != std::string_view::npos)
      variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

std::string variable_of(const std::string& long_name) {
  std::string variable = "BOUQUET_" + long_name;
  std::transform(variable.begin(), variable.end(), variable.begin(), [](char c) {
    return c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return variable;
}

absl::StatusOr<CommandLine> complete_command_line(CLI::App& app, std::vector<std::string> arguments, const Environment& environment) {
  add_config_option(app);
  auto config_path = take_config_path(arguments);
  if (const auto variable = environment.find("BOUQUET_CONFIG"); !config_path && variable != environment.end())
    config_path = variable->second;
  const ChosenCommand chosen = chosen_command(app, arguments);
  if (chosen.end < arguments.size() && !looks_like_option(arguments[chosen.end]) && !subcommands(*chosen.command).empty()) {
    std::vector<std::string> known;
    for (const CLI::App* child : subcommands(*chosen.command)) known.push_back(child->get_name());
    return wrong_usage("there is no command '" + arguments[chosen.end] + "'" + did_you_mean(arguments[chosen.end], known));
  }
  CommandLine line{.command = chosen.command, .arguments = arguments, .settings = {}};
  if (asks_for_help(arguments) || chosen.command == &app) return line;

  SettingsFile file;
  if (config_path) {
    auto read = SettingsFile::read(*config_path, app);
    if (!read.ok()) return read.status();
    file = *std::move(read);
  }
  std::vector<std::string> inserted;
  bool last_takes_several = false;
  if (config_path && chosen.command->get_option_no_throw("--config") != nullptr) inserted.push_back("--config=" + *config_path);
  const GivenOptions given = given_options(*chosen.command, arguments, chosen.end);
  for (const CLI::Option* option : chosen.command->get_options()) {
    if (option->get_lnames().empty() || option->check_lname("help") || option->check_lname("config")) continue;
    Setting setting = setting_of(*chosen.command, *option, given, environment, file);
    if (setting.origin != "flag" && setting.origin != "default" && setting.origin != "not set") {
      const auto spelled = as_arguments(*option, setting);
      if (!spelled.ok()) return spelled.status();
      inserted.insert(inserted.end(), spelled->begin(), spelled->end());
      last_takes_several = takes_several(*option);
    }
    line.settings.push_back(std::move(setting));
  }
  // At the end, where a flag that takes several values finds nothing to take for its own. A "--" ends its values and nothing more.
  const auto end = std::find(line.arguments.begin(), line.arguments.end(), "--");
  if (end != line.arguments.end() && last_takes_several) inserted.push_back("--");
  line.arguments.insert(end, inserted.begin(), inserted.end());
  return line;
}

int parse_command_line(CLI::App& app, int argc, const char* const* argv) {
  auto line = complete_command_line(app, {argv + 1, argv + argc}, process_environment());
  if (!line.ok()) return report(line.status());
  try {
    app.parse(std::vector<std::string>(line->arguments.rbegin(), line->arguments.rend()));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    std::fprintf(stderr, "bouquet: %s\nRun with --help for more.\n", explained(error, *line).c_str());
    return kExitUsage;
  }
  return kNotEnded;
}

}  // namespace bouquet::cli
