// `bouquet bench store`: how many events become durable in a second, what they take on disk, and how fast they are read back.
#pragma once

namespace CLI {
class App;
}

namespace bouquet::bench {

void add_store_bench(CLI::App& bench, int& exit_code);

}  // namespace bouquet::bench
