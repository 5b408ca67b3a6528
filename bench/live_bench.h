// `bouquet bench live`: how long it takes from an event to a recommendation that it has changed, while others read and write.
#pragma once

#include "engine/backend.h"

namespace CLI {
class App;
}

namespace bouquet::bench {

void add_live_bench(CLI::App& bench, const BackendFactory& backends, int& exit_code);

}  // namespace bouquet::bench
