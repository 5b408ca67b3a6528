// event_writer FOLDER SYNC LOSSY IDS FIRST...: writes events until it is killed, each client from its FIRST on, a batch at a time, and says
// "client last" on stdout once a batch is acknowledged. SYNC, LOSSY and IDS are 0 or 1. For event_kill_test.cc.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "tests/server/event_store/lossy_disk.h"
#include "tests/server/event_store/small_store.h"
#include "tests/server/event_store/writer_events.h"

namespace bouquet::server {
namespace {

void write_events(EventStore& store, int client, int first, bool with_ids) {
  for (int next = first;; next += kWriterBatch) {
    std::vector<SaidEvent> said;
    for (int i = next; i < next + kWriterBatch; ++i)
      said.push_back({.customer = writer_customer(client, i),
                      .item = writer_item(i),
                      .event_id = with_ids ? writer_event_id(client, i) : std::string(),
                      .time = i});
    std::vector<NewEvent> events;
    for (const SaidEvent& one : said) events.push_back(one.view());
    std::promise<bool> stored;
    const absl::Status taken = store.append(events, [&](std::span<const Outcome> outcomes) {
      bool all = true;
      for (const Outcome& outcome : outcomes) all = all && outcome.status.ok();
      stored.set_value(all);
    });
    if (!taken.ok() || !stored.get_future().get()) std::_Exit(4);
    char line[32];
    const int size = std::snprintf(line, sizeof line, "%d %d\n", client, next + kWriterBatch - 1);
    if (write(STDOUT_FILENO, line, static_cast<size_t>(size)) != size) std::_Exit(5);
  }
}

int run(char** argv) {
  StoreDatabaseOptions options;
  options.sync = argv[2][0] == '1';
  const auto lossy = rocksdb::NewCompositeEnv(std::make_shared<LossyDisk>());
  if (argv[3][0] == '1') options.env = lossy.get();
  const auto database = StoreDatabase::open(argv[1], options);
  if (!database.ok()) return std::fprintf(stderr, "%s\n", std::string(database.status().message()).c_str()), 3;
  const auto store = EventStore::open(**database);
  if (!store.ok()) return 3;
  std::vector<std::thread> clients;
  for (int c = 0; c < kWriterClients; ++c)
    clients.emplace_back([&, c] { write_events(**store, c, std::atoi(argv[5 + c]), argv[4][0] == '1'); });
  for (std::thread& client : clients) client.join();
  return 0;
}

}  // namespace
}  // namespace bouquet::server

int main(int argc, char** argv) { return argc == 5 + bouquet::server::kWriterClients ? bouquet::server::run(argv) : 2; }
