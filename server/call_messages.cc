#include "server/call_messages.h"

#include <grpcpp/support/slice.h>

namespace bouquet::server {

bool parse_message(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite* message) {
  grpc::Slice slice;
  // A small message is one slice, which is read in place.
  if (!bytes.TrySingleSlice(&slice).ok() && !bytes.DumpToSingleSlice(&slice).ok()) return false;
  return message->ParseFromArray(slice.begin(), static_cast<int>(slice.size()));
}

grpc::ByteBuffer serialize_message(const google::protobuf::MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  const grpc::Slice slice(size);
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));  // nobody else has this slice yet
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace bouquet::server
