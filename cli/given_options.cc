#include "cli/given_options.h"

#include <CLI/CLI.hpp>

namespace bouquet::cli {
namespace {

const CLI::Option* long_option(const CLI::App& command, const std::string& name) {
  for (const CLI::Option* option : command.get_options())
    if (option->check_lname(name)) return option;
  return nullptr;
}

// The last option of a token like -vk10 and what follows its letter; flags before it are noted in `given`.
const CLI::Option* short_option(const CLI::App& command, const std::string& token, GivenOptions& given, std::string& rest) {
  for (size_t at = 1; at < token.size(); ++at) {
    const CLI::Option* found = nullptr;
    for (const CLI::Option* option : command.get_options())
      if (option->check_sname(token.substr(at, 1))) found = option;
    if (found == nullptr) return nullptr;
    rest = token.substr(at + 1);
    if (!is_flag(*found)) return found;
    given[found] = {"true"};
  }
  return nullptr;
}

}  // namespace

bool is_flag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }
bool takes_several(const CLI::Option& option) { return option.get_items_expected_max() > 1; }
bool looks_like_option(const std::string& text) { return text.size() > 1 && text[0] == '-' && !(text[1] >= '0' && text[1] <= '9'); }

GivenOptions given_options(const CLI::App& command, const std::vector<std::string>& arguments, size_t begin) {
  GivenOptions given;
  for (size_t i = begin; i < arguments.size() && arguments[i] != "--"; ++i) {
    if (!looks_like_option(arguments[i])) continue;
    const std::string& token = arguments[i];
    const CLI::Option* option = nullptr;
    std::string value;
    if (token.starts_with("--")) {
      const size_t equals = token.find('=');
      option = long_option(command, token.substr(2, equals - 2));
      if (equals != std::string::npos) value = token.substr(equals + 1);
    } else {
      option = short_option(command, token, given, value);
    }
    if (option == nullptr) continue;
    std::vector<std::string>& values = given[option];
    if (is_flag(*option)) {
      values = {value.empty() ? "true" : value};
      continue;
    }
    if (!value.empty()) values.push_back(value);
    for (int taken = value.empty() ? 0 : 1; taken < option->get_items_expected_max() && i + 1 < arguments.size() &&
                                            !looks_like_option(arguments[i + 1]) && arguments[i + 1] != "--";
         ++taken)
      values.push_back(arguments[++i]);
  }
  return given;
}

}  // namespace bouquet::cli
