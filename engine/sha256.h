// SHA-256: the checksum of everything in an artifact, as lower-case hexadecimal text, and what event ids are known by.
#pragma once

#include <array>
#include <cstddef>
#include <string>

namespace bouquet {

std::array<unsigned char, 32> sha256(const void* bytes, size_t count);
std::string sha256_hex(const void* bytes, size_t count);  // 64 characters

}  // namespace bouquet
