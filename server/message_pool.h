// Responses that keep what they have allocated from one call to the next: in steady state an answer allocates nothing but its bytes.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace bouquet::server {

// Thread-safe. Outlives what it lends.
template <typename Message>
class MessagePool {
 public:
  struct GiveBack {
    MessagePool* pool = nullptr;
    void operator()(Message* message) const { pool->give_back(std::unique_ptr<Message>(message)); }
  };
  using Lease = std::unique_ptr<Message, GiveBack>;

  // An empty message.
  Lease take() {
    std::unique_ptr<Message> message;
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        message = std::move(free_.back());
        free_.pop_back();
      }
    }
    if (message == nullptr) message = std::make_unique<Message>();
    return Lease(message.release(), GiveBack{this});
  }

 private:
  // What is kept while nobody calls: at most kMost messages that were at most kLargest bytes when they were last serialised.
  static constexpr size_t kMost = 256;
  static constexpr int kLargest = 16 << 10;

  void give_back(std::unique_ptr<Message> message) {
    if (message->GetCachedSize() > kLargest) return;
    message->Clear();
    const std::lock_guard lock(mutex_);
    if (free_.size() < kMost) free_.push_back(std::move(message));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Message>> free_;
};

}  // namespace bouquet::server
