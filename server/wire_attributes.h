// Attributes that a request sends by name, read where they lie in its bytes: of thousands, building protobuf's map of them costs several
// times what everything else of the answer does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/attribute_value.h"

namespace bouquet::server {

// An entry of `map<string, AttributeValue> attributes`. Borrowed.
struct WireAttribute {
  std::string_view name;
  AttributeValue::Kind kind = AttributeValue::Kind::kMissing;
  double number = 0;            // of a number or a flag
  std::string_view bytes = {};  // a text; or the message AttributeValue.Texts or AttributeValue.Vector
};

// All of a request, in the order sent. A name may be there several times: the last one counts. Borrows the request's bytes.
class WireAttributes {
 public:
  static constexpr int kField = 9;  // of every request that has them

  WireAttributes() = default;  // none

  // Takes the attributes of a request out of its bytes and writes all its other fields to `rest`, if there are attributes. Without value if
  // the bytes are not as protobuf's writers write them, a string is not valid UTF-8, or there are more than `most`: protobuf must read the
  // whole then, which knows every other way to write the same, and what is wrong.
  static std::optional<WireAttributes> split(std::string_view request, int32_t most, std::string& rest);

  bool empty() const { return count_ == 0; }
  int32_t count() const { return count_; }

  // Appends them to the bytes of another request, as they were sent.
  void append_to(std::string& request) const;

  // Goes through them.
  class Cursor {
   public:
    explicit Cursor(const WireAttributes& all) : left_(all.request_) {}
    // The next one, if there is one.
    bool next(WireAttribute& out);

   private:
    std::string_view left_;
  };

 private:
  std::string_view request_;  // all of it
  int32_t count_ = 0;
};

// The requests of a BatchRecommendRequest, each as its bytes have it. Without value if there is anything else in the message: protobuf must
// read it then.
std::optional<std::vector<std::string_view>> batched_requests(std::string_view message);

// Of a WireAttribute that is a list or a vector: replaces `out` by its elements.
void read_texts(std::string_view bytes, std::vector<std::string_view>& out);
void read_vector(std::string_view bytes, std::vector<float>& out);

}  // namespace bouquet::server
