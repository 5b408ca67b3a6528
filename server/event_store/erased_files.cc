#include "server/event_store/erased_files.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <string>
#include <utility>

#include "server/event_store/event_keys.h"

namespace bouquet::server {
namespace {

rocksdb::CompactRangeOptions whole() {
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  return options;
}

absl::Status compact_range(const StoreDatabase& database, Family family, const std::string& begin, const std::string& end) {
  const rocksdb::Slice first(begin), last(end);
  return of_rocks(database.rocks().CompactRange(whole(), database.family(family), &first, &last));
}

absl::Status compact_customer(const StoreDatabase& database, Family family, CustomerNumber customer) {
  std::string begin, end;
  append_fixed64(customer, begin);
  append_fixed64(customer + 1, end);
  return compact_range(database, family, begin, end);
}

// What came with requests stands by the hashes of ids, which the receipt has.
absl::Status compact_answers(const StoreDatabase& database, const ErasureReceipt& receipt) {
  if (receipt.answers() == 0) return absl::OkStatus();
  const auto compact = [&](const std::string& hash) {
    return compact_range(database, Family::kAnswers, hash, hash + std::string(sizeof(uint64_t) + 1, '\xff'));
  };
  absl::Status done = compact(receipt.id_hash());
  for (const ErasureReceipt::Other& other : receipt.others())
    if (done.ok()) done = compact(other.id_hash());
  return done;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ErasedFiles>> ErasedFiles::start(StoreDatabase& database, const ErasedFilesOptions& options) {
  std::unique_ptr<ErasedFiles> files(new ErasedFiles(database, options));
  const auto receipts = read_receipts(database);
  if (!receipts.ok()) return receipts.status();
  for (const auto& [sequence, receipt] : *receipts)
    if (receipt.files_gone_time() == 0) {
      files->pending_[sequence].push_back(receipt.customer());
      for (const ErasureReceipt::Other& other : receipt.others()) files->pending_[sequence].push_back(other.customer());
    }
  files->worker_ = std::thread([raw = files.get()] { raw->run(); });
  return files;
}

ErasedFiles::~ErasedFiles() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (worker_.joinable()) worker_.join();
}

// At once, so that a pass has all ids of a person.
void ErasedFiles::add(std::span<const DurableErasure> erasures) {
  {
    const std::lock_guard lock(mutex_);
    for (const DurableErasure& erasure : erasures) pending_[erasure.erasure.sequence].push_back(erasure.customer);
  }
  changed_.notify_all();
}

std::unique_lock<std::timed_mutex> ErasedFiles::hold_files(const std::atomic<bool>& stop) {
  std::unique_lock held(files_, std::defer_lock);
  while (!stop.load() && !held.try_lock_for(std::chrono::milliseconds(50))) {
  }
  return held;
}

int64_t ErasedFiles::pending() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int64_t>(pending_.size());
}

absl::Status ErasedFiles::last_pass() const {
  const std::lock_guard lock(mutex_);
  return last_pass_;
}

void ErasedFiles::run() {
  std::unique_lock lock(mutex_);
  std::chrono::steady_clock::duration rest = options_.gather;
  while (true) {
    changed_.wait(lock, [&] { return ending_ || !pending_.empty(); });
    if (changed_.wait_for(lock, rest, [&] { return ending_; })) return;
    const Erasures erasures = pending_;
    lock.unlock();
    const auto begin = std::chrono::steady_clock::now();
    absl::Status passed = pass(erasures);
    rest = std::max<std::chrono::steady_clock::duration>(options_.gather, kRestFactor * (std::chrono::steady_clock::now() - begin));
    lock.lock();
    for (const auto& [sequence, customers] : erasures)
      if (passed.ok()) pending_.erase(sequence);
    last_pass_ = std::move(passed);
  }
}

// An id may be anywhere among the customers, and is not known any more; what has a number stands together.
absl::Status ErasedFiles::pass(const Erasures& erasures) {
  const std::lock_guard held(files_);
  if (absl::Status s = database_.flush(); !s.ok()) return s;
  for (const auto& [sequence, customers] : erasures) {
    const auto receipt = read_receipt(database_, sequence);
    if (!receipt.ok()) return receipt.status();
    if (absl::Status s = compact_answers(database_, *receipt); !s.ok()) return s;
  }
  for (const auto& [sequence, customers] : erasures)
    for (const CustomerNumber customer : customers)
      for (const Family family : {Family::kEvents, Family::kAttributes, Family::kMerges})
        if (customer != 0)
          if (absl::Status s = compact_customer(database_, family, customer); !s.ok()) return s;
  if (absl::Status s = of_rocks(database_.rocks().CompactRange(whole(), database_.family(Family::kCustomers), nullptr, nullptr)); !s.ok())
    return s;
  if (absl::Status s = mark_gone(erasures); !s.ok()) return s;
  // The list of files has the first and last key of each; this begins a new one, without those that have gone.
  if (absl::Status s = database_.flush(); !s.ok()) return s;
  database_.rocks().DisableFileDeletions();
  return of_rocks(database_.rocks().EnableFileDeletions(false));  // takes away now what nobody needs any more
}

absl::Status ErasedFiles::mark_gone(const Erasures& erasures) {
  rocksdb::WriteBatch batch;
  for (const auto& [sequence, customers] : erasures) {
    auto receipt = read_receipt(database_, sequence);
    if (!receipt.ok()) return receipt.status();
    receipt->set_files_gone_time(absl::ToUnixMicros(options_.clock()));
    put_receipt(database_, sequence, *receipt, batch);
  }
  return database_.write(batch);
}

}  // namespace bouquet::server
