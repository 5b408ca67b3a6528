// Where settings come from: the flag; else the variable BOUQUET_<FLAG>; else --config FILE; else the flag's default.
//
// Before CLI11 parses, the command line is completed: what the environment and the file say about the chosen command and the flags
// do not say is inserted as flags. So every command defines plain CLI11 options and knows nothing of this.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace CLI {
class App;
}

namespace bouquet::cli {

using Environment = std::map<std::string, std::string>;

// The BOUQUET_* variables of this process.
Environment process_environment();

// "train" + "max-bad-rows" are set by BOUQUET_MAX_BAD_ROWS.
std::string variable_of(const std::string& long_name);

struct Setting {
  std::string name;                 // the flag without its dashes
  std::vector<std::string> values;  // as text; none: not set and without a default
  std::string origin;               // "flag", "BOUQUET_THREADS", "bouquet.toml:3", "default", or "not set"
  bool required = false;
  bool is_list = false;
};

struct CommandLine {
  const CLI::App* command = nullptr;   // the innermost command that was named
  std::vector<std::string> arguments;  // complete, without the program's name
  std::vector<Setting> settings;       // of that command, in the order of its --help
};

// Completes `arguments` (without the program's name). Also gives every command that lacks it the option --config.
// Errors: those of SettingsFile::read, and InvalidArgument where a variable or key has several values and its flag takes one.
absl::StatusOr<CommandLine> complete_command_line(CLI::App& app, std::vector<std::string> arguments, const Environment& environment);

// Completes and parses the command line of this process, which runs the command's callback. Returns the exit code of what is wrong
// with the command line (0 after --help and --version), or kNotEnded: the callback ran and left its own.
inline constexpr int kNotEnded = -1;
int parse_command_line(CLI::App& app, int argc, const char* const* argv);

}  // namespace bouquet::cli
