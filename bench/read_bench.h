// `bouquet bench read`: rows per second from an event file to a sorted data set, and the memory that takes.
#pragma once

namespace CLI {
class App;
}

namespace bouquet::bench {

void add_read_bench(CLI::App& bench, int& exit_code);

}  // namespace bouquet::bench
