#include "server/call_messages.h"

#include <optional>
#include <string>
#include <string_view>

#include "engine/errors.h"
#include "server/request_limits.h"

namespace bouquet::server {
namespace {

// A small message is one slice, which is read in place.
bool single_slice(const grpc::ByteBuffer& bytes, grpc::Slice* slice) {
  return bytes.TrySingleSlice(slice).ok() || bytes.DumpToSingleSlice(slice).ok();
}

std::string_view text_of(const grpc::Slice& slice) { return {reinterpret_cast<const char*>(slice.begin()), slice.size()}; }

// `bytes` into `request` but for what can be left in them. Without value: they are no request.
std::optional<WireAttributes> parse_apart(std::string_view bytes, google::protobuf::MessageLite* request) {
  std::string rest;
  const auto split = WireAttributes::split(bytes, kMaxAttributes, rest);
  const std::string_view message = split && !split->empty() ? rest : bytes;
  if (!request->ParseFromArray(message.data(), static_cast<int>(message.size()))) return std::nullopt;
  return split.value_or(WireAttributes());
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
  const auto apart = parse_apart(text_of(*slice), request);
  if (!apart) return false;
  *attributes = *apart;
  if (attributes->empty()) *slice = grpc::Slice();  // nobody needs it any longer
  return true;
}

bool parse_batch(const grpc::ByteBuffer& bytes, v1::BatchRecommendRequest* batch, grpc::Slice* slice, std::vector<BatchedRequest>* parts) {
  parts->clear();
  if (!single_slice(bytes, slice)) return false;
  const auto requests = batched_requests(text_of(*slice));
  if (!requests) {
    if (!batch->ParseFromArray(slice->begin(), static_cast<int>(slice->size()))) return false;
    for (const v1::RecommendRequest& request : batch->requests()) parts->push_back({{}, static_cast<int64_t>(request.ByteSizeLong())});
    return true;
  }
  for (const std::string_view request : *requests) {
    const auto apart = parse_apart(request, batch->add_requests());
    if (!apart) return false;
    parts->push_back({*apart, static_cast<int64_t>(request.size())});
  }
  return true;
}

grpc::ByteBuffer serialize_message(const google::protobuf::MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  const grpc::Slice slice(size);
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));  // nobody else has this slice yet
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace bouquet::server
