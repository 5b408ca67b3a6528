// `bouquet evaluate`: judges a published model on events that it has not seen.
#pragma once

#include "engine/backend.h"

namespace CLI {
class App;
}

namespace bouquet::training {

void add_evaluate_command(CLI::App& app, const BackendFactory& backends, int& exit_code);

}  // namespace bouquet::training
