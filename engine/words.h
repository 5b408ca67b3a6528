// The words of a text, and the hashed words and word pairs that a text attribute counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bouquet {

// Splits UTF-8 into lower-case words: runs of letters, digits and combining marks. Every code point from U+00C0 on counts as a letter but
// the signs x and /, general punctuation, symbols (U+2000 to U+2BFF), CJK and full-width punctuation. Han and kana characters, which are
// written without spaces, are words of one character each. Latin, Greek, Cyrillic, Armenian and full-width capitals become small; text is
// not normalised otherwise (e and a combining accent is not the accented letter). Bytes that are no UTF-8 part words.
class WordSplitter {
 public:
  // Valid until the next call. Allocates nothing once it has seen a text as long.
  std::span<const std::string_view> split(std::string_view text);

 private:
  void end_word();
  std::string lowered_;
  size_t word_begin_ = 0;
  std::vector<std::pair<size_t, size_t>> places_;  // begin and end in lowered_
  std::vector<std::string_view> words_;
};

// The bucket of [0, 2^bits) that a word, or a word behind another one, is counted in: the top bits of XXH3-64, seeded for a pair
// by the hash of its first word. Frozen: models of other machines and days rely on it.
int32_t word_bucket(std::string_view word, int bits);
int32_t pair_bucket(std::string_view first, std::string_view second, int bits);

class HashedWords {
 public:
  struct Entry {
    int32_t bucket = 0;
    float count = 0;
  };
  // How often each bucket occurs among the words of `text` and the pairs of neighbouring words, by ascending bucket. Valid until the
  // next call; allocates nothing once it has seen a text as long.
  std::span<const Entry> count(std::string_view text, int bits);
  // Of the text counted last.
  std::span<const std::string_view> words() const { return words_; }

 private:
  WordSplitter splitter_;
  std::span<const std::string_view> words_;
  std::vector<Entry> entries_;
};

}  // namespace bouquet
