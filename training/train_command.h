// `bouquet train`: learns a model from event files and publishes it.
#pragma once

#include "engine/backend.h"

namespace CLI {
class App;
}

namespace bouquet::training {

void add_train_command(CLI::App& app, const BackendFactory& backends, int& exit_code);

}  // namespace bouquet::training
