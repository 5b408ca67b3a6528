// What tells the inputs of a fit from any others: a hash of arrays, in their order and with their lengths.
#pragma once

#include <cstdint>
#include <string>

#include "engine/sha256.h"

namespace bouquet::training {

class Fingerprint {
 public:
  // Of numbers or characters: a vector, span, array or text.
  template <typename Array>
  void add(const Array& values) {
    const auto count = static_cast<uint64_t>(values.size());
    hash_.add(&count, sizeof(count));
    hash_.add(values.data(), count * sizeof(*values.data()));
  }
  std::string text() { return hash_.hex(); }  // 64 characters; once

 private:
  Sha256 hash_;
};

}  // namespace bouquet::training
