// What a command line gives each option of a command, found without parsing it: CLI11 can parse only once, and only when complete.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace bouquet::cli {

bool is_flag(const CLI::Option& option);
bool takes_several(const CLI::Option& option);
bool looks_like_option(const std::string& text);  // -5 is a number

// The options of `command` that stand in `arguments` from `begin` on, each with its values ("true" for a flag), told from one
// another by CLI11's rules.
using GivenOptions = std::map<const CLI::Option*, std::vector<std::string>>;
GivenOptions given_options(const CLI::App& command, const std::vector<std::string>& arguments, size_t begin);

}  // namespace bouquet::cli
