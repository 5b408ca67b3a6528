// Any bytes as a CSV or JSONL file: nothing may crash, and where blocks are cut may not change what is read.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "training/csv_reader.h"
#include "training/event_rows.h"
#include "training/jsonl_reader.h"

namespace bouquet::training {
namespace {

constexpr std::string_view kHeader = "customer_id,item_id,time,value,price,basket_id,event_id,event_type\n";

class Memory : public ByteSource {
 public:
  explicit Memory(std::string_view text) : text_(text) {}
  absl::StatusOr<size_t> read(char* to, size_t size) override {
    const size_t count = std::min(size, text_.size());
    text_.copy(to, count);
    text_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view text_;
};

// A summary of everything that reading gave.
struct Outcome {
  int64_t rows = 0, bad_rows = 0, events = 0;
  uint64_t ids = 0;  // a sum, so that it does not depend on the blocks
  bool failed = false;
  bool operator==(const Outcome&) const = default;
};

void add_batch(const EventBatch& batch, Outcome& outcome) {
  outcome.rows += batch.rows;
  outcome.bad_rows += batch.bad_rows;
  outcome.events += static_cast<int64_t>(batch.size());
  for (size_t i = 0; i < batch.size(); ++i) outcome.ids += batch.customers.hashes[i] * 31 + batch.items.hashes[i];
}

Outcome read_all(std::string_view text, bool json, size_t block_bytes) {
  Outcome outcome;
  outcome.failed = true;
  auto blocks = std::make_unique<TextBlocks>("fuzz", std::make_unique<Memory>(text), block_bytes);
  auto reader = json ? open_jsonl("fuzz", std::move(blocks)) : open_csv("fuzz", std::move(blocks));
  if (!reader.ok()) return outcome;
  const ReadOptions options;
  const RowRules rules = RowRules::from(options).value();
  const auto layout = EventFileLayout::of("fuzz", **reader, options, rules);
  if (!layout.ok()) return outcome;
  EventRows rows(rules);
  for (Block block;;) {
    const auto more = (*reader)->next_block(layout->projection, block);
    if (!more.ok()) return outcome;
    if (!*more) break;
    rows.start_block(*layout);
    if (!(*reader)->parse(block, layout->projection, rows).ok()) return outcome;
    add_batch(rows.batch(), outcome);
  }
  outcome.failed = false;
  return outcome;
}

}  // namespace
}  // namespace bouquet::training

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bouquet::training;
  if (size < 2) return 0;
  const bool json = (data[0] & 2) != 0;
  std::string text;
  if (!json && (data[0] & 1) != 0) text = kHeader;
  text.append(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Outcome whole = read_all(text, json, 1 << 20);
  const Outcome cut = read_all(text, json, 1 + data[1]);
  const bool same = whole.failed ? cut.failed : whole == cut;
  if (!same) {
    std::fprintf(stderr, "blocks of %d bytes read %lld rows, one block %lld\n", 1 + data[1], static_cast<long long>(cut.rows),
                 static_cast<long long>(whole.rows));
    std::abort();
  }
  return 0;
}
