// `bouquet export`: everything that a running server knows of one customer, as lines of JSON.
#pragma once

namespace CLI {
class App;
}

namespace bouquet::server {

void add_export_command(CLI::App& app, int& exit_code);

}  // namespace bouquet::server
