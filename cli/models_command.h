// `bouquet models`: which models there are, and which of them serves.
#pragma once

namespace CLI {
class App;
}

namespace bouquet::cli {

void add_models_command(CLI::App& app, int& exit_code);

}  // namespace bouquet::cli
