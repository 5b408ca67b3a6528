#include "cli/settings_file.h"

#include <toml++/toml.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "engine/errors.h"
#include "engine/nearest_name.h"

namespace bouquet::cli {
namespace {

// Tables that belong to the data and the shop, not to one command. Their own readers look into them.
constexpr std::array<std::string_view, 5> kDataTables = {"actions", "answers", "attributes", "events", "placements"};
constexpr std::array<std::string_view, 2> kNotBuiltYet = {"nightly", "store"};

std::string dashed(std::string_view key) {
  std::string name(key);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

const CLI::App* subcommand(const CLI::App& command, const std::string& name) {
  for (const CLI::App* child : command.get_subcommands({}))
    if (child->get_name() == name) return child;
  return nullptr;
}

void add_option_names(const CLI::App& command, std::vector<std::string>& names) {
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames())
      if (name != "help" && name != "config") names.push_back(name);
  for (const CLI::App* child : command.get_subcommands({})) add_option_names(*child, names);
}

// The text of a single value, or nothing if it is an array or a table.
std::optional<std::string> scalar_text(const toml::node& node) {
  if (node.is_array() || node.is_table()) return std::nullopt;
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (const auto* number = node.as_floating_point()) {
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number->get()).ptr;
    return std::string(digits.data(), end);
  }
  std::ostringstream out;
  node.visit([&out](const auto& value) {
    if constexpr (toml::is_value<decltype(value)>) out << value.get();
  });
  return out.str();
}

}  // namespace

class SettingsFileParser {
 public:
  explicit SettingsFileParser(std::string name) : name_(std::move(name)) {}

  absl::Status read_root(const toml::table& root, const CLI::App& app) {
    for (const auto& [key, node] : root) {
      const std::string name = dashed(key.str());
      if (std::find(kDataTables.begin(), kDataTables.end(), name) != kDataTables.end()) continue;
      if (!node.is_table()) return wrong_usage(at(node) + "'" + name + "' stands in no table; settings stand under a command: [train]");
      if (const CLI::App* command = subcommand(app, name)) {
        const absl::Status status = read_table(*node.as_table(), *command);
        if (!status.ok()) return status;
      } else if (std::find(kNotBuiltYet.begin(), kNotBuiltYet.end(), name) != kNotBuiltYet.end()) {
        return wrong_usage(at(node) + "[" + name + "] is not built yet in this version; take it out of the file");
      } else {
        return wrong_usage(at(node) + "there is no table [" + name + "]" + did_you_mean(name, table_names(app)));
      }
    }
    return absl::OkStatus();
  }

  SettingsFile take() { return std::move(file_); }

 private:
  std::string at(const toml::node& node) const { return place(node) + ": "; }
  std::string place(const toml::node& node) const { return name_ + ":" + std::to_string(node.source().begin.line); }

  static std::vector<std::string> table_names(const CLI::App& app) {
    std::vector<std::string> names(kDataTables.begin(), kDataTables.end());
    for (const CLI::App* child : app.get_subcommands({})) names.push_back(child->get_name());
    return names;
  }

  absl::Status read_table(const toml::table& table, const CLI::App& command) {
    std::vector<std::string> known;
    add_option_names(command, known);
    for (const auto& [key, node] : table) {
      const std::string name = dashed(key.str());
      const CLI::App* child = node.is_table() ? subcommand(command, name) : nullptr;
      if (child != nullptr) {
        const absl::Status status = read_table(*node.as_table(), *child);
        if (!status.ok()) return status;
        continue;
      }
      if (std::find(known.begin(), known.end(), name) == known.end())
        return wrong_usage(at(node) + "[" + command.get_name() + "] has no key '" + name + "'" + did_you_mean(name, known));
      const absl::Status status = read_value(node, file_.values_[{&command, name}]);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status read_value(const toml::node& node, FileValue& value) const {
    value.place = place(node);
    if (auto text = scalar_text(node)) {
      value.texts.push_back(*std::move(text));
    } else if (const auto* array = node.as_array()) {
      for (const auto& element : *array) {
        auto element_text = scalar_text(element);
        if (!element_text) return wrong_usage(at(node) + "the elements of this array must be plain values");
        value.texts.push_back(*std::move(element_text));
      }
    } else {
      return read_pairs(*node.as_table(), value);
    }
    return absl::OkStatus();
  }

  // A table is the text "a=b,c=d", as flags like --columns take it.
  absl::Status read_pairs(const toml::table& table, FileValue& value) const {
    std::string pairs;
    for (const auto& [key, node] : table) {
      const auto text = scalar_text(node);
      if (!text) return wrong_usage(at(node) + "the value of '" + std::string(key.str()) + "' must be a plain value");
      pairs += (pairs.empty() ? "" : ",") + std::string(key.str()) + "=" + *text;
    }
    value.texts.push_back(std::move(pairs));
    return absl::OkStatus();
  }

  std::string name_;
  SettingsFile file_;
};

absl::StatusOr<SettingsFile> SettingsFile::parse(std::string_view text, const std::string& name, const CLI::App& app) {
  toml::table root;
  try {
    root = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return wrong_usage(name + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
  }
  SettingsFileParser parser(name);
  const absl::Status status = parser.read_root(root, app);
  if (!status.ok()) return status;
  return parser.take();
}

absl::StatusOr<SettingsFile> SettingsFile::read(const std::string& path, const CLI::App& app) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) return missing_input("--config " + path + ": cannot open this file");
  std::ostringstream text;
  text << file.rdbuf();
  return parse(text.str(), path, app);
}

const FileValue* SettingsFile::find(const CLI::App& command, const std::string& long_name) const {
  for (const CLI::App* at = &command; at != nullptr; at = at->get_parent()) {
    const auto found = values_.find({at, long_name});
    if (found != values_.end()) return &found->second;
  }
  return nullptr;
}

}  // namespace bouquet::cli
