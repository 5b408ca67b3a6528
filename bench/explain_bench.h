// `bouquet bench explain`: how long it takes to take the scores of one answer apart.
#pragma once

#include "engine/backend.h"

namespace CLI {
class App;
}

namespace bouquet::bench {

void add_explain_bench(CLI::App& bench, const BackendFactory& backends, int& exit_code);

}  // namespace bouquet::bench
