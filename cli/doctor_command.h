// `bouquet doctor`: what this machine has, what Bouquet will use of it, and why not more.
#pragma once

#include "engine/backend.h"

namespace CLI {
class App;
}

namespace bouquet::cli {

void add_doctor_command(CLI::App& app, const BackendFactory& backends, int& exit_code);

}  // namespace bouquet::cli
