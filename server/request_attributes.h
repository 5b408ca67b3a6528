// The attributes of one asker, encoded as training encodes them: those the model has stored, with those sent along in their place.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "bouquet/v1/recommendations.pb.h"
#include "engine/artifact.h"
#include "engine/attribute_encoder.h"
#include "server/wire_attributes.h"

namespace bouquet::server {

using AttributeMap = google::protobuf::Map<std::string, v1::AttributeValue>;

// What a request sends by name, in one of two forms. Borrowed.
class SentAttributes {
 public:
  // In its message. Implicit: the usual form.
  SentAttributes(const AttributeMap& message) : message_(&message) {}
  // Left in its bytes, unless that is nullptr or empty.
  SentAttributes(const AttributeMap& message, const WireAttributes* wire)
      : message_(&message), wire_(wire == nullptr || wire->empty() ? nullptr : wire) {}

  bool empty() const { return wire_ == nullptr && message_->empty(); }
  const WireAttributes* wire() const { return wire_; }  // nullptr: they are in the message
  const AttributeMap& message() const { return *message_; }

 private:
  const AttributeMap* message_;
  const WireAttributes* wire_ = nullptr;
};

// What is known of one id of the asker.
struct KnownAttributes {
  CustomerIndex row = kNone;  // the model's; kNone: it has none
  AttributeMap live;          // said since; nothing set: missing
};

// One row of AttributeRows.
struct EncodedRow {
  std::vector<float> dense;
  std::vector<int32_t> columns;
  std::vector<float> values;
};

// One worker's; its memory is reused. Not thread-safe.
class RequestAttributes {
 public:
  // `attributes` outlives this.
  explicit RequestAttributes(const EncodedAttributes& attributes);

  // Whether the model takes attributes at all.
  bool wanted() const { return !attributes_.schema.empty(); }

  // Whether any of them is more than a name that the training left out.
  bool concerns(const SentAttributes& sent) const;
  // What is wrong with attributes that were sent by name. Errors: as encode().
  absl::Status check(const SentAttributes& sent) { return read(sent); }

  // How many attributes of an encoded row, given by its sparse columns, are not missing.
  int32_t known_count(std::span<const int32_t> columns) const;

  // What is known of the ids of the asker: what is live of any of them, else what rows of the model have; of each the first id that says
  // something of an attribute has the word. And then every one that was sent by name (the request's `attributes`) or packed (its
  // `packed_attributes`; nullptr: none) as sent. What the model cannot take of what is live is passed over. Errors: InvalidArgument with
  // BadRequest (a name that the training did not know, with the nearest, while one that it left out is passed over; a value of another
  // type; an attribute that is sent both ways), FailedPrecondition (packed for another schema).
  absl::Status encode(std::span<const KnownAttributes> known, const SentAttributes& sent, const v1::PackedAttributes* packed,
                      EncodedRow& row);

 private:
  absl::Status encode_named(const SentAttributes& sent, EncodedRow& row);
  absl::Status read(const SentAttributes& sent);
  bool is_left_out(std::string_view name) const { return std::ranges::binary_search(attributes_.left_out, name); }
  AttributeValue value_of(size_t attribute, const v1::AttributeValue& sent);
  AttributeValue value_of(size_t attribute, const WireAttribute& sent);
  AttributeMap usable(const AttributeMap& live);
  absl::Status encode_packed(const v1::PackedAttributes& packed, EncodedRow& row);
  void start_from(CustomerIndex stored, EncodedRow& row);
  // Whether anything is known.
  absl::StatusOr<bool> encode_known(std::span<const KnownAttributes> known, EncodedRow& row);
  // Puts what the model's row knows into `row`.
  void overlay_row(CustomerIndex stored, EncodedRow& row);
  // Puts what `sent_` says is of `own` into `row`.
  void overlay(const EncodedRow& own, EncodedRow& row);

  const EncodedAttributes& attributes_;
  const std::string layout_;
  AttributeEncoder encoder_;
  std::vector<std::string> names_;
  std::vector<AttributeType> types_;
  std::vector<uint8_t> is_missing_column_;
  std::vector<AttributeValue> values_;                // by attribute; only those of named ones are of this request
  std::vector<size_t> named_;                         // attributes
  std::vector<uint8_t> sent_;                         // by attribute: said in the way that was encoded last
  std::vector<std::vector<std::string_view>> texts_;  // by attribute, of lists
  std::vector<std::vector<float>> vectors_;           // by attribute, of vectors left in bytes
  EncodedRow nothing_known_;
  EncodedRow own_, before_;
};

}  // namespace bouquet::server
