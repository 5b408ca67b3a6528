// `bouquet store`: backups of what a server keeps, and what is in it.
#pragma once

namespace CLI {
class App;
}

namespace bouquet::cli {

void add_store_command(CLI::App& app, int& exit_code);

}  // namespace bouquet::cli
