// SHA-256 as lower-case hexadecimal text: the checksum of everything in an artifact.
#pragma once

#include <cstddef>
#include <string>

namespace bouquet {

std::string sha256_hex(const void* bytes, size_t count);  // 64 characters

}  // namespace bouquet
