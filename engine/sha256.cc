#include "engine/sha256.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdlib>

namespace bouquet {

std::array<unsigned char, 32> sha256(const void* bytes, size_t count) {
  std::array<unsigned char, 32> digest;
  // Fails only where libcrypto has no SHA-256 at all: nothing could be verified then.
  if (EVP_Digest(bytes, count, digest.data(), nullptr, EVP_sha256(), nullptr) != 1) std::abort();
  return digest;
}

std::string sha256_hex(const void* bytes, size_t count) {
  std::string text;
  for (const unsigned char byte : sha256(bytes, count)) {
    text.push_back("0123456789abcdef"[byte >> 4]);
    text.push_back("0123456789abcdef"[byte & 15]);
  }
  return text;
}

std::array<unsigned char, 32> hmac_sha256(std::string_view key, std::string_view text) {
  std::array<unsigned char, 32> digest;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           digest.data(), nullptr) == nullptr)
    std::abort();
  return digest;
}

}  // namespace bouquet
