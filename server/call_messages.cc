#include "server/call_messages.h"

#include <string>
#include <string_view>
#include <utility>

#include "engine/errors.h"
#include "server/request_limits.h"

namespace bouquet::server {
namespace {

// A small message is one slice, which is read in place.
bool single_slice(const grpc::ByteBuffer& bytes, grpc::Slice* slice) {
  return bytes.TrySingleSlice(slice).ok() || bytes.DumpToSingleSlice(slice).ok();
}

}  // namespace

absl::Status check_size(size_t bytes, int32_t most_bytes) {
  if (bytes <= static_cast<size_t>(most_bytes)) return absl::OkStatus();
  return no_resource("the message has " + std::to_string(bytes) + " bytes; at most " + std::to_string(most_bytes) + " are allowed");
}

absl::Status malformed_message() { return wrong_usage("the request is not a well-formed message, or a string in it is not valid UTF-8"); }

bool parse_message(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite* message) {
  grpc::Slice slice;
  return single_slice(bytes, &slice) && message->ParseFromArray(slice.begin(), static_cast<int>(slice.size()));
}

bool parse_request(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite* request, grpc::Slice* slice, WireAttributes* attributes) {
  *attributes = {};
  if (!single_slice(bytes, slice)) return false;
  std::string rest;
  const auto split = WireAttributes::split({reinterpret_cast<const char*>(slice->begin()), slice->size()}, kMaxAttributes, rest);
  if (!split || split->empty()) {
    const grpc::Slice whole = std::exchange(*slice, grpc::Slice());  // nobody needs it any longer
    return request->ParseFromArray(whole.begin(), static_cast<int>(whole.size()));
  }
  *attributes = *split;
  return request->ParseFromString(rest);
}

grpc::ByteBuffer serialize_message(const google::protobuf::MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  const grpc::Slice slice(size);
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));  // nobody else has this slice yet
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace bouquet::server
