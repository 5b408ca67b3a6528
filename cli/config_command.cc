#include "cli/config_command.h"

#include <CLI/CLI.hpp>
#include <array>
#include <charconv>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/given_options.h"
#include "cli/settings.h"
#include "engine/errors.h"
#include "engine/nearest_name.h"

namespace bouquet::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ConfigRequest {
  std::vector<std::string> command;  // "models", "list"; empty: every command
  std::string config_path;
  std::vector<std::string> flags;  // of that command
  bool json = false;
};

std::vector<CLI::App*> children(CLI::App& command) {
  return command.get_subcommands([](const CLI::App*) { return true; });
}

// The names of every command that does something, as one would type them.
void add_leaves(CLI::App& command, std::vector<std::string> path, std::vector<std::vector<std::string>>& leaves) {
  if (!command.get_name().empty() && command.get_parent() != nullptr) path.push_back(command.get_name());
  if (children(command).empty() && path != std::vector<std::string>{"config"}) leaves.push_back(path);
  for (CLI::App* child : children(command)) add_leaves(*child, path, leaves);
}

// Moves the words that name a command from the front of `request.flags` to `request.command`.
absl::Status take_command(CLI::App& app, ConfigRequest& request) {
  CLI::App* at = &app;
  while (!request.flags.empty() && !looks_like_option(request.flags[0]) && !children(*at).empty()) {
    const std::string name = request.flags[0];
    CLI::App* next = nullptr;
    std::vector<std::string> known;
    for (CLI::App* child : children(*at)) {
      known.push_back(child->get_name());
      if (child->check_name(name)) next = child;
    }
    if (next == nullptr) return wrong_usage("config: there is no command '" + name + "'" + did_you_mean(name, known));
    request.command.push_back(name);
    request.flags.erase(request.flags.begin());
    at = next;
  }
  return absl::OkStatus();
}

std::vector<std::vector<std::string>> commands_asked_for(CLI::App& app, const ConfigRequest& request) {
  CLI::App* at = &app;
  for (const std::string& name : request.command) at = at->get_subcommand(name);
  std::vector<std::vector<std::string>> leaves;
  add_leaves(*at, {request.command.begin(), request.command.end() - (request.command.empty() ? 0 : 1)}, leaves);
  return leaves;
}

// Whether `text` is a number that the reader of the file would spell the same way again.
template <typename Number>
bool is_spelled_as(const std::string& text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::array<char, 32> again;
  return error == std::errc() && end == text.data() + text.size() &&
         text == std::string_view(again.data(), std::to_chars(again.data(), again.data() + again.size(), number).ptr);
}

bool is_bare_in_toml(const std::string& text) {
  if (text == "true" || text == "false" || is_spelled_as<int64_t>(text)) return true;
  return text.find('.') != std::string::npos && is_spelled_as<double>(text);
}

std::string in_toml(const std::string& text) {
  if (is_bare_in_toml(text)) return text;
  return Json(text).dump();  // a JSON string is a TOML basic string
}

std::string in_toml(const Setting& setting) {
  if (!setting.is_list && setting.values.size() == 1) return in_toml(setting.values[0]);
  std::string list;
  for (const std::string& value : setting.values) list += (list.empty() ? "" : ", ") + in_toml(value);
  return "[" + list + "]";
}

void print_table(const std::string& name, const std::vector<Setting>& settings) {
  std::printf("[%s]\n", name.c_str());
  for (const Setting& setting : settings) {
    if (setting.values.empty())
      std::printf("# %s =  # %s%s\n", setting.name.c_str(), setting.origin.c_str(), setting.required ? ", required" : "");
    else
      std::printf("%s = %s  # %s\n", setting.name.c_str(), in_toml(setting).c_str(), setting.origin.c_str());
  }
  std::printf("\n");
}

Json as_json(const std::vector<Setting>& settings) {
  Json table = Json::object();
  for (const Setting& setting : settings) {
    Json value = nullptr;
    if (setting.is_list) value = setting.values;
    if (!setting.is_list && !setting.values.empty()) value = setting.values[0];
    table[setting.name] = {{"value", std::move(value)}, {"origin", setting.origin}, {"required", setting.required}};
  }
  return table;
}

absl::Status run_config(CLI::App& app, ConfigRequest request) {
  const absl::Status named = take_command(app, request);
  if (!named.ok()) return named;
  Json all = Json::object();
  for (const std::vector<std::string>& command : commands_asked_for(app, request)) {
    std::vector<std::string> arguments = command;
    if (!request.config_path.empty()) arguments.push_back("--config=" + request.config_path);
    arguments.insert(arguments.end(), request.flags.begin(), request.flags.end());
    const auto line = complete_command_line(app, arguments, process_environment());
    if (!line.ok()) return line.status();
    std::string name;
    for (const std::string& part : command) name += (name.empty() ? "" : ".") + part;
    if (request.json)
      all[name] = as_json(line->settings);
    else if (!line->settings.empty())
      print_table(name, line->settings);
  }
  if (request.json) std::printf("%s\n", all.dump(2).c_str());
  return absl::OkStatus();
}

}  // namespace

void add_config_command(CLI::App& app, int& exit_code) {
  auto request = std::make_shared<ConfigRequest>();
  CLI::App* command = app.add_subcommand("config", "Show the settings a command would run with, and where each comes from");
  command->footer(
      "COMMAND and its FLAGS follow; without them, every command is shown.\nExample: bouquet config train --config bouquet.toml --threads "
      "2\nWhat it prints is itself a bouquet.toml.");
  command->allow_extras();
  command->add_option("--config", request->config_path, "The settings file to read")->type_name("FILE");
  command->add_flag("--json", request->json, "Print one JSON document");
  command->callback([&app, command, request, &exit_code] {
    request->flags = command->remaining();
    exit_code = report(run_config(app, *request));
  });
}

}  // namespace bouquet::cli
