// `bouquet merge` and `bouquet unmerge`: tell a server that two customers are one person, or that they are not.
#pragma once

namespace CLI {
class App;
}

namespace bouquet::server {

void add_merge_commands(CLI::App& app, int& exit_code);

}  // namespace bouquet::server
