#include "engine/words.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

namespace bouquet {
namespace {

constexpr char32_t kNoCharacter = 0xffffffff;

bool within(char32_t c, char32_t low, char32_t high) { return low <= c && c <= high; }

// The character at `at`, which moves behind it; kNoCharacter, and one byte on, where the bytes are no UTF-8.
char32_t next_character(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  const size_t length = first < 0x80                ? 1
                        : within(first, 0xc2, 0xdf) ? 2
                        : within(first, 0xe0, 0xef) ? 3
                        : within(first, 0xf0, 0xf4) ? 4
                                                    : 0;
  if (length == 0 || at + length > text.size()) return ++at, kNoCharacter;
  char32_t c = length == 1 ? first : first & (0xffu >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return ++at, kNoCharacter;
    c = c << 6 | (byte(at + i) & 0x3f);
  }
  at += length;
  return c;
}

void append(char32_t c, std::string& out) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0 | c >> 6);
  } else {
    if (c < 0x10000) {
      put(0xe0 | c >> 12);
    } else {
      put(0xf0 | c >> 18);
      put(0x80 | (c >> 12 & 0x3f));
    }
    put(0x80 | (c >> 6 & 0x3f));
  }
  put(0x80 | (c & 0x3f));
}

bool is_in_a_word(char32_t c) {
  if (c < 0x80) return within(c, '0', '9') || within(c, 'a', 'z') || within(c, 'A', 'Z');
  if (c < 0xc0) return c == 0xaa || c == 0xb5 || c == 0xba;
  return !(c == kNoCharacter || c == 0xd7 || c == 0xf7 || within(c, 0x2000, 0x2bff) || within(c, 0x2e00, 0x2e7f) ||
           within(c, 0x3000, 0x3004) || within(c, 0x3008, 0x3020) || c == 0x3030 || c == 0x30fb || within(c, 0xfe10, 0xfe6f) ||
           within(c, 0xff01, 0xff0f) || within(c, 0xff1a, 0xff20) || within(c, 0xff3b, 0xff40) || within(c, 0xff5b, 0xff65));
}

bool is_a_word(char32_t c) {
  return within(c, 0x3041, 0x30ff) || within(c, 0x3400, 0x4dbf) || within(c, 0x4e00, 0x9fff) || within(c, 0xf900, 0xfaff) ||
         within(c, 0x20000, 0x3ffff);
}

// Blocks where capital and small letter alternate, the capital first, at even or at odd numbers.
bool is_even_capital(char32_t c) {
  return c % 2 == 0 && (within(c, 0x100, 0x12e) || within(c, 0x132, 0x136) || within(c, 0x14a, 0x176) || within(c, 0x460, 0x480) ||
                        within(c, 0x48a, 0x4be) || within(c, 0x4d0, 0x52e) || within(c, 0x1e00, 0x1e94) || within(c, 0x1ea0, 0x1efe));
}
bool is_odd_capital(char32_t c) { return c % 2 == 1 && (within(c, 0x139, 0x147) || within(c, 0x179, 0x17d) || within(c, 0x4c1, 0x4cd)); }

char32_t lower(char32_t c) {
  if (c < 0x80) return within(c, 'A', 'Z') ? c + 0x20 : c;
  if (within(c, 0xc0, 0xde) || within(c, 0x391, 0x3ab) || within(c, 0x410, 0x42f) || within(c, 0xff21, 0xff3a)) return c + 0x20;
  if (is_even_capital(c) || is_odd_capital(c)) return c + 1;
  if (c == 0x130) return 'i';
  if (c == 0x178) return 0xff;
  if (c == 0x386) return 0x3ac;
  if (within(c, 0x388, 0x38a)) return c + 0x25;
  if (c == 0x38c) return 0x3cc;
  if (within(c, 0x38e, 0x38f)) return c + 0x3f;
  if (within(c, 0x400, 0x40f)) return c + 0x50;
  if (within(c, 0x531, 0x556)) return c + 0x30;
  return c;
}

uint64_t hash(std::string_view word) { return XXH3_64bits(word.data(), word.size()); }

int32_t top(uint64_t hash, int bits) { return static_cast<int32_t>(hash >> (64 - bits)); }

}  // namespace

void WordSplitter::end_word() {
  if (lowered_.size() > word_begin_) places_.emplace_back(word_begin_, lowered_.size());
  word_begin_ = lowered_.size();
}

std::span<const std::string_view> WordSplitter::split(std::string_view text) {
  lowered_.clear();
  places_.clear();
  words_.clear();
  word_begin_ = 0;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_character(text, at);
    if (!is_in_a_word(c) || is_a_word(c)) end_word();
    if (!is_in_a_word(c)) continue;
    append(lower(c), lowered_);
    if (is_a_word(c)) end_word();
  }
  end_word();
  for (const auto& [begin, end] : places_) words_.push_back(std::string_view(lowered_).substr(begin, end - begin));
  return words_;
}

int32_t word_bucket(std::string_view word, int bits) { return top(hash(word), bits); }

int32_t pair_bucket(std::string_view first, std::string_view second, int bits) {
  return top(XXH3_64bits_withSeed(second.data(), second.size(), hash(first)), bits);
}

std::span<const HashedWords::Entry> HashedWords::count(std::string_view text, int bits) {
  words_ = splitter_.split(text);
  entries_.clear();
  for (size_t w = 0; w < words_.size(); ++w) {
    entries_.push_back({word_bucket(words_[w], bits), 1});
    if (w > 0) entries_.push_back({pair_bucket(words_[w - 1], words_[w], bits), 1});
  }
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.bucket < b.bucket; });
  size_t kept = 0;
  for (size_t e = 0; e < entries_.size(); ++e) {
    if (kept > 0 && entries_[kept - 1].bucket == entries_[e].bucket)
      ++entries_[kept - 1].count;
    else
      entries_[kept++] = entries_[e];
  }
  entries_.resize(kept);
  return entries_;
}

}  // namespace bouquet
