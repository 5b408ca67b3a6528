#include "engine/sha256.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>

namespace bouquet {

std::array<unsigned char, 32> sha256(const void* bytes, size_t count) {
  std::array<unsigned char, 32> digest;
  // Fails only where libcrypto has no SHA-256 at all: nothing could be verified then.
  if (EVP_Digest(bytes, count, digest.data(), nullptr, EVP_sha256(), nullptr) != 1) std::abort();
  return digest;
}

namespace {

std::string hex_of(const std::array<unsigned char, 32>& digest) {
  std::string text;
  for (const unsigned char byte : digest) {
    text.push_back("0123456789abcdef"[byte >> 4]);
    text.push_back("0123456789abcdef"[byte & 15]);
  }
  return text;
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

Context new_context() {
  Context context(EVP_MD_CTX_new());
  if (context == nullptr) std::abort();
  return context;
}

constexpr size_t kBlock = 64;

// The state after the first block: the key under `pad`.
Context keyed(const std::array<unsigned char, kBlock>& key, unsigned char pad) {
  std::array<unsigned char, kBlock> block;
  for (size_t i = 0; i < kBlock; ++i) block[i] = key[i] ^ pad;
  Context context = new_context();
  if (EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1 || EVP_DigestUpdate(context.get(), block.data(), block.size()) != 1)
    std::abort();
  return context;
}

std::array<unsigned char, 32> finish(EVP_MD_CTX* context, const EVP_MD_CTX* from, const void* bytes, size_t count) {
  std::array<unsigned char, 32> digest;
  if (EVP_MD_CTX_copy_ex(context, from) != 1 || EVP_DigestUpdate(context, bytes, count) != 1 ||
      EVP_DigestFinal_ex(context, digest.data(), nullptr) != 1)
    std::abort();
  return digest;
}

}  // namespace

std::string sha256_hex(const void* bytes, size_t count) { return hex_of(sha256(bytes, count)); }

struct Sha256::State {
  Context context;
};

Sha256::Sha256() : state_(std::make_unique<State>(State{new_context()})) {
  if (EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) != 1) std::abort();
}
Sha256::~Sha256() = default;

void Sha256::add(const void* bytes, size_t count) {
  if (EVP_DigestUpdate(state_->context.get(), bytes, count) != 1) std::abort();
}

std::string Sha256::hex() {
  std::array<unsigned char, 32> digest;
  if (EVP_DigestFinal_ex(state_->context.get(), digest.data(), nullptr) != 1) std::abort();
  return hex_of(digest);
}

struct HmacSha256::States {
  Context inner, outer;
};

HmacSha256::HmacSha256(std::string_view key) {
  std::array<unsigned char, kBlock> padded{};
  if (key.size() > kBlock) {
    const auto digest = sha256(key.data(), key.size());
    std::copy(digest.begin(), digest.end(), padded.begin());
  } else {
    std::copy(key.begin(), key.end(), padded.begin());
  }
  states_ = std::make_unique<const States>(States{keyed(padded, 0x36), keyed(padded, 0x5c)});
}

HmacSha256::~HmacSha256() = default;
HmacSha256::HmacSha256(HmacSha256&&) noexcept = default;
HmacSha256& HmacSha256::operator=(HmacSha256&&) noexcept = default;

std::array<unsigned char, 32> HmacSha256::of(std::string_view text) const {
  thread_local const Context scratch = new_context();
  const auto digest = finish(scratch.get(), states_->inner.get(), text.data(), text.size());
  return finish(scratch.get(), states_->outer.get(), digest.data(), digest.size());
}

}  // namespace bouquet
