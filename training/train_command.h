// `bouquet train`: learns a model from event files and publishes it.
#pragma once

#include "engine/backend.h"
#include "training/event_source.h"

namespace CLI {
class App;
}

namespace bouquet::training {

// `stores` opens what --store names.
void add_train_command(CLI::App& app, const BackendFactory& backends, const EventSourceFactory& stores, int& exit_code);

}  // namespace bouquet::training
