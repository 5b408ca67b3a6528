// event_writer FOLDER SYNC LOSSY IDS FIRST...: writes events until it is killed, each client from its FIRST on, a batch at a time, and says
// "client last" on stdout once a batch is acknowledged; one more client merges, one sets attributes. SYNC, LOSSY and IDS are 0 or 1. For
// event_kill_test.cc.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/event_store/lossy_disk.h"
#include "tests/server/event_store/small_store.h"
#include "tests/server/event_store/writer_events.h"

namespace bouquet::server {
namespace {

void say(int client, int last) {
  char line[32];
  const int size = std::snprintf(line, sizeof line, "%d %d\n", client, last);
  if (write(STDOUT_FILENO, line, static_cast<size_t>(size)) != size) std::_Exit(5);
}

// Whether what `call` hands over was stored.
template <typename Call>
bool stored(const Call& call) {
  std::promise<bool> answer;
  const absl::Status taken = call([&](std::span<const Outcome> outcomes) {
    bool all = true;
    for (const Outcome& outcome : outcomes) all = all && outcome.status.ok();
    answer.set_value(all);
  });
  return taken.ok() && answer.get_future().get();
}

void write_merges(EventStore& store, int first) {
  for (int i = first;; ++i) {
    const std::string from = writer_visitor(i), into = writer_owner(i), merge_id = "merge " + from, undo_id = "undo " + from;
    const NewMerge merge{.from_customer_id = from, .into_customer_id = into, .request_id = merge_id};
    const NewUnmerge undo{.from_customer_id = from, .request_id = undo_id};
    if (!stored([&](Append::Done done) { return store.merge_customers(merge, std::move(done)); })) std::_Exit(4);
    if (writer_takes_back(i) && !stored([&](Append::Done done) { return store.unmerge_customers(undo, std::move(done)); })) std::_Exit(4);
    say(kWriterMerger, i);
  }
}

void write_attributes(EventStore& store, int first) {
  for (int i = first;; ++i) {
    const std::string customer = writer_described(i), request_id = "word " + std::to_string(i);
    google::protobuf::Map<std::string, v1::AttributeValue> values;
    values[kWriterAttribute].set_number(i);
    const NewAttributes said{.customer_id = customer, .request_id = request_id, .values = &values};
    if (!stored([&](Append::Done done) { return store.set_attributes(said, std::move(done)); })) std::_Exit(4);
    say(kWriterSetter, i);
  }
}

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
    if (!stored([&](Append::Done done) { return store.append(events, std::move(done)); })) std::_Exit(4);
    say(client, next + kWriterBatch - 1);
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
  clients.emplace_back([&] { write_merges(**store, std::atoi(argv[5 + kWriterMerger])); });
  clients.emplace_back([&] { write_attributes(**store, std::atoi(argv[5 + kWriterSetter])); });
  for (std::thread& client : clients) client.join();
  return 0;
}

}  // namespace
}  // namespace bouquet::server

int main(int argc, char** argv) { return argc == 5 + bouquet::server::kWriterRoles ? bouquet::server::run(argv) : 2; }
