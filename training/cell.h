// One value of one row as a file gives it, before anyone knows what it means. Text points into the block it was read from.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bouquet::training {

struct Cell {
  enum class Kind : uint8_t {
    kNull,
    kField,      // text of a CSV field, which may be a number
    kText,       // text that the file says is text
    kInteger,    // `integer`
    kUnsigned,   // `integer` holds the bits of a number over 2^63
    kFloat,      // `number`
    kTime,       // `integer`: microseconds since 1970, UTC
    kNaiveTime,  // `integer`: microseconds of a clock on the wall, whose time zone is not known
    kBool,       // `integer`
    kTexts,      // a list of texts: texts()
    kNumbers,    // a list of numbers, not all of them whole: numbers()
    kNested,     // another list, an object, or what no number here can hold
  };
  Kind kind = Kind::kNull;
  std::string_view text;
  union {
    int64_t integer = 0;
    double number;
  };
  const void* list = nullptr;  // of kTexts and kNumbers; `integer` is its length

  std::span<const std::string_view> texts() const { return {static_cast<const std::string_view*>(list), static_cast<size_t>(integer)}; }
  std::span<const float> numbers() const { return {static_cast<const float*>(list), static_cast<size_t>(integer)}; }

  static Cell of_field(std::string_view text) { return {text.empty() ? Kind::kNull : Kind::kField, text, {}, nullptr}; }
  static Cell of_text(std::string_view text) { return {text.empty() ? Kind::kNull : Kind::kText, text, {}, nullptr}; }
  static Cell of_integer(int64_t value) { return of(Kind::kInteger, value); }
  static Cell of(Kind kind, int64_t value = 0) {
    Cell cell;
    cell.kind = kind;
    cell.integer = value;
    return cell;
  }
  static Cell of_float(double value) {
    Cell cell;
    cell.kind = value != value ? Kind::kNull : Kind::kFloat;  // data frames write a missing number as NaN
    cell.number = value;
    return cell;
  }
  static Cell of_texts(std::span<const std::string_view> texts) { return of_list(Kind::kTexts, texts.data(), texts.size()); }
  static Cell of_numbers(std::span<const float> numbers) { return of_list(Kind::kNumbers, numbers.data(), numbers.size()); }
  bool is_null() const { return kind == Kind::kNull; }

 private:
  static Cell of_list(Kind kind, const void* list, size_t length) {
    Cell cell = of(kind, static_cast<int64_t>(length));
    cell.list = list;
    return cell;
  }
};

// Keeps pieces of text at fixed addresses until it is cleared.
class TextArena {
 public:
  // `size` writable bytes.
  char* allocate(size_t size) {
    if (chunks_.empty() || used_ + size > chunks_.back().size) grow(size);
    char* at = chunks_.back().bytes.get() + used_;
    used_ += size;
    return at;
  }
  std::string_view copy(std::string_view text) {
    char* at = allocate(text.size());
    text.copy(at, text.size());
    return {at, text.size()};
  }
  // `count` elements, which live as long.
  template <typename T>
  std::span<T> array(size_t count) {
    char* at = allocate(count * sizeof(T) + alignof(T) - 1);
    at += (alignof(T) - reinterpret_cast<uintptr_t>(at) % alignof(T)) % alignof(T);
    T* first = reinterpret_cast<T*>(at);
    for (size_t i = 0; i < count; ++i) new (first + i) T();
    return {first, count};
  }
  void clear() {
    if (chunks_.size() > 1) chunks_.erase(chunks_.begin(), chunks_.end() - 1);
    used_ = 0;
  }

 private:
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    size_t size = 0;
  };
  void grow(size_t least) {
    const size_t size = least > kChunkBytes ? least : kChunkBytes;
    chunks_.push_back({std::make_unique<char[]>(size), size});
    used_ = 0;
  }
  static constexpr size_t kChunkBytes = 1 << 16;
  std::vector<Chunk> chunks_;
  size_t used_ = 0;
};

// The cell as text: what --where compares and messages show. Integral floats have no point; null is empty; the elements of a list stand
// apart by `|`; times are `YYYY-MM-DD HH:MM:SS` with the microseconds where there are any.
std::string cell_text(const Cell& cell);

// The same for a message: at most 60 bytes, unprintable bytes as \xNN, in single quotes.
std::string quoted_for_message(std::string_view text);

}  // namespace bouquet::training
