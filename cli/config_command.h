// `bouquet config`: which settings a command would run with, and where each comes from.
#pragma once

namespace CLI {
class App;
}

namespace bouquet::cli {

void add_config_command(CLI::App& app, int& exit_code);

}  // namespace bouquet::cli
