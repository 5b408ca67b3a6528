// `bouquet inspect`: what the readers see in files. Trains nothing.
#pragma once

#include <CLI/CLI.hpp>

namespace bouquet::training {

void add_inspect_command(CLI::App& app, int& exit_code);

}  // namespace bouquet::training
