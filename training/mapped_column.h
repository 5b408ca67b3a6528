// A column that grows without ever being copied and gives every page back when it goes: what is read is held in these until it is sorted.
#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <new>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace bouquet::training {

template <typename T>
class MappedColumn {
 public:
  static constexpr int kShift = 20;
  static constexpr size_t kChunk = size_t{1} << kShift;

  MappedColumn() = default;
  MappedColumn(MappedColumn&& other) noexcept : chunks_(std::move(other.chunks_)), size_(std::exchange(other.size_, 0)) {
    other.chunks_.clear();
  }
  MappedColumn& operator=(MappedColumn&& other) noexcept {
    std::swap(chunks_, other.chunks_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~MappedColumn() { clear(); }

  void push_back(T value) {
    if ((size_ >> kShift) == chunks_.size()) grow();
    chunks_[size_ >> kShift][size_ & (kChunk - 1)] = value;
    ++size_;
  }
  void append(std::span<const T> values) {
    for (const T value : values) push_back(value);
  }
  void resize_for(size_t size) {
    while (chunks_.size() << kShift < size) grow();
    size_ = size;
  }
  T* at(size_t i) const { return &chunks_[i >> kShift][i & (kChunk - 1)]; }
  T operator[](size_t i) const { return chunks_[i >> kShift][i & (kChunk - 1)]; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void clear() {
    for (T* chunk : chunks_) munmap(chunk, kChunk * sizeof(T));
    chunks_.clear();
    size_ = 0;
  }

 private:
  // malloc keeps freed blocks of this size for itself; the system does not.
  void grow() {
    void* memory = mmap(nullptr, kChunk * sizeof(T), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    chunks_.push_back(static_cast<T*>(memory));
  }

  std::vector<T*> chunks_;
  size_t size_ = 0;
};

// Texts of at most 255 bytes, each found again by the place that adding it returned. Place 0 is the empty text.
class MappedTexts {
 public:
  uint64_t add(std::string_view text) {
    if (text.empty()) return 0;
    const size_t room = kChunk - (size_ & (kChunk - 1));
    if (size_ == 0 || room <= text.size()) size_ += size_ == 0 ? 1 : room;  // a text lies within one chunk
    const uint64_t place = size_;
    bytes_.resize_for(size_ + text.size() + 1);
    char* at = bytes_.at(place);
    *at = static_cast<char>(text.size());
    text.copy(at + 1, text.size());
    size_ += text.size() + 1;
    return place;
  }
  std::string_view at(uint64_t place) const {
    if (place == 0) return {};
    const char* at = bytes_.at(place);
    return {at + 1, static_cast<unsigned char>(*at)};
  }

 private:
  static constexpr size_t kChunk = MappedColumn<char>::kChunk;
  MappedColumn<char> bytes_;
  size_t size_ = 0;
};

}  // namespace bouquet::training
