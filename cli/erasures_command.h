// `bouquet erasures`: what was erased from a server's store, and where bytes of it may still be.
#pragma once

namespace CLI {
class App;
}

namespace bouquet::cli {

void add_erasures_command(CLI::App& app, int& exit_code);

}  // namespace bouquet::cli
