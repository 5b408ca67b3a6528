// `bouquet bench rank`: exact top-k of generated vectors, with a sample of the answers checked against brute force.
#pragma once

#include "engine/backend.h"

namespace CLI {
class App;
}

namespace bouquet::bench {

void add_rank_bench(CLI::App& bench, const BackendFactory& backends, int& exit_code);

}  // namespace bouquet::bench
