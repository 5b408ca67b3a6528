// SHA-256: the checksum of everything in an artifact, as lower-case hexadecimal text, and what event ids and erased customers are known by.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace bouquet {

std::array<unsigned char, 32> sha256(const void* bytes, size_t count);
std::string sha256_hex(const void* bytes, size_t count);  // 64 characters
// RFC 2104.
std::array<unsigned char, 32> hmac_sha256(std::string_view key, std::string_view text);

}  // namespace bouquet
