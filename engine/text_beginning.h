#pragma once

#include <cstddef>
#include <string_view>

namespace bouquet {

// The first bytes of UTF-8 text, at most `most`, without a part of a character.
inline std::string_view text_beginning(std::string_view text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return text.substr(0, most);
}

}  // namespace bouquet
