// An immutable array that is either owned or borrowed from something kept alive with it (a mapped file). Copies share
// the memory, so that a model made by training and one mapped from disk are the same type.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace bouquet {

template <typename T>
class SharedArray {
 public:
  SharedArray() = default;
  SharedArray(std::vector<T> values) {  // NOLINT(google-explicit-constructor): a vector is one
    auto owner = std::make_shared<const std::vector<T>>(std::move(values));
    view_ = {owner->data(), owner->size()};
    owner_ = std::move(owner);
  }
  // `view` stays valid as long as `owner` lives.
  SharedArray(std::shared_ptr<const void> owner, std::span<const T> view) : owner_(std::move(owner)), view_(view) {}

  std::span<const T> view() const { return view_; }
  const T* data() const { return view_.data(); }
  int64_t size() const { return static_cast<int64_t>(view_.size()); }
  bool empty() const { return view_.empty(); }
  const T& operator[](int64_t i) const { return view_[static_cast<size_t>(i)]; }
  auto begin() const { return view_.begin(); }
  auto end() const { return view_.end(); }

 private:
  std::shared_ptr<const void> owner_;
  std::span<const T> view_;
};

}  // namespace bouquet
