#include "server/event_store/entry_expiry.h"

namespace bouquet::server {
namespace {

class Expiry final : public rocksdb::CompactionFilter {
 public:
  Expiry(EntryExpiryFactory::IsOver is_over, absl::Time now) : is_over_(std::move(is_over)), now_(now) {}

  bool Filter(int, const rocksdb::Slice&, const rocksdb::Slice& value, std::string*, bool*) const override {
    return is_over_({value.data(), value.size()}, now_);
  }
  const char* Name() const override { return "bouquet.EntryExpiry"; }

 private:
  const EntryExpiryFactory::IsOver is_over_;
  const absl::Time now_;  // when the compaction began
};

}  // namespace

std::unique_ptr<rocksdb::CompactionFilter> EntryExpiryFactory::CreateCompactionFilter(const rocksdb::CompactionFilter::Context&) {
  if (!armed_->load()) return nullptr;
  return std::make_unique<Expiry>(is_over_, clock_());
}

}  // namespace bouquet::server
