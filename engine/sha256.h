// SHA-256: the checksum of everything in an artifact, as lower-case hexadecimal text, and what event ids and erased customers are known by.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace bouquet {

std::array<unsigned char, 32> sha256(const void* bytes, size_t count);
std::string sha256_hex(const void* bytes, size_t count);  // 64 characters
// The same, of bytes that come one after the other.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(const void* bytes, size_t count);
  std::string hex();  // of all that was added; once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// HMAC (RFC 2104) of many texts under one key, whose share of the work is done once. Thread-safe.
class HmacSha256 {
 public:
  explicit HmacSha256(std::string_view key);
  ~HmacSha256();
  HmacSha256(HmacSha256&&) noexcept;
  HmacSha256& operator=(HmacSha256&&) noexcept;

  std::array<unsigned char, 32> of(std::string_view text) const;

 private:
  struct States;
  std::unique_ptr<const States> states_;
};

}  // namespace bouquet
