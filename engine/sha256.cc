#include "engine/sha256.h"

#include <openssl/evp.h>

#include <cstdlib>

namespace bouquet {

std::string sha256_hex(const void* bytes, size_t count) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  // Fails only where libcrypto has no SHA-256 at all: nothing could be verified then.
  if (EVP_Digest(bytes, count, digest, &length, EVP_sha256(), nullptr) != 1) std::abort();
  std::string text;
  text.reserve(size_t{length} * 2);
  for (unsigned int i = 0; i < length; ++i) {
    text.push_back("0123456789abcdef"[digest[i] >> 4]);
    text.push_back("0123456789abcdef"[digest[i] & 15]);
  }
  return text;
}

}  // namespace bouquet
