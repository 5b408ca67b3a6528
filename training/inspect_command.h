// `bouquet inspect`: what the readers see in files. Trains nothing.
#pragma once

namespace CLI {
class App;
}

namespace bouquet::training {

void add_inspect_command(CLI::App& app, int& exit_code);

}  // namespace bouquet::training
