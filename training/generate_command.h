// `bouquet generate`: a synthetic shop as files.
#pragma once

namespace CLI {
class App;
}

namespace bouquet::training {

void add_generate_command(CLI::App& app, int& exit_code);

}  // namespace bouquet::training
