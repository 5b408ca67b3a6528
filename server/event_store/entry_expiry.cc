#include "server/event_store/event_id_expiry.h"

#include "server/event_store/event_id_entry.h"

namespace bouquet::server {
namespace {

class Expiry final : public rocksdb::CompactionFilter {
 public:
  explicit Expiry(int64_t oldest) : oldest_(oldest) {}

  bool Filter(int, const rocksdb::Slice&, const rocksdb::Slice& value, std::string*, bool*) const override {
    const auto entry = parse_event_id_entry({value.data(), value.size()});
    return entry && entry->arrived < oldest_;
  }
  const char* Name() const override { return "bouquet.EventIdExpiry"; }

 private:
  const int64_t oldest_;  // seconds since 1970
};

}  // namespace

std::unique_ptr<rocksdb::CompactionFilter> EventIdExpiryFactory::CreateCompactionFilter(const rocksdb::CompactionFilter::Context&) {
  if (!armed_->load()) return nullptr;
  return std::make_unique<Expiry>(absl::ToUnixSeconds(clock_() - window_));
}

}  // namespace bouquet::server
