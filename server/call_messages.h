// Messages as the wire has them. Services take raw bytes so that a malformed request is INVALID_ARGUMENT (gRPC's own parsing would
// answer INTERNAL), and so that a call's messages live in one arena.
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>

namespace bouquet::server {

// Whether `bytes` hold one well-formed message with valid UTF-8 in its strings.
bool parse_message(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite* message);

grpc::ByteBuffer serialize_message(const google::protobuf::MessageLite& message);

}  // namespace bouquet::server
