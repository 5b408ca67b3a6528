// Messages as the wire has them. Services take raw bytes so that a malformed request is INVALID_ARGUMENT (gRPC's own parsing would
// answer INTERNAL), and so that a call's messages live in one arena.
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "bouquet/v1/recommendations.pb.h"
#include "server/wire_attributes.h"

namespace bouquet::server {

// What gRPC lets through, and what all methods but those that bring events take.
inline constexpr int32_t kMaxEventsMessageBytes = 4 << 20;
inline constexpr int32_t kMaxMessageBytes = 1 << 20;

// Errors: ResourceExhausted, as gRPC has it.
absl::Status check_size(size_t bytes, int32_t most_bytes = kMaxMessageBytes);

// What a caller is told of bytes that parse_message() refuses: InvalidArgument.
absl::Status malformed_message();

// Whether `bytes` hold one well-formed message with valid UTF-8 in its strings.
bool parse_message(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite* message);

// The same of a request with attributes, which are left out of `request` where they can be read from its bytes: `attributes` has all of
// them then and borrows from `slice`, which may not move (a small one is its own memory). Otherwise all are in `request`, as are more than
// kMaxAttributes, which validate() counts.
bool parse_request(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite* request, grpc::Slice* slice, WireAttributes* attributes);

// What belongs to one request of a batch and is not in its message.
struct BatchedRequest {
  WireAttributes attributes;
  int64_t bytes = 0;  // of the request as it was sent
};

// parse_request() of every request of `batch`: `parts` has one for each.
bool parse_batch(const grpc::ByteBuffer& bytes, v1::BatchRecommendRequest* batch, grpc::Slice* slice, std::vector<BatchedRequest>* parts);

grpc::ByteBuffer serialize_message(const google::protobuf::MessageLite& message);

}  // namespace bouquet::server
