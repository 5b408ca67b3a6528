// `bouquet record`: tells a server what a customer did.
#pragma once

namespace CLI {
class App;
}

namespace bouquet::server {

void add_record_command(CLI::App& app, int& exit_code);

}  // namespace bouquet::server
