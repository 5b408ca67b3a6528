// From the bytes of a call to a request that is right: the same steps, and the same errors, for every method.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>

#include "absl/status/status.h"
#include "server/call_messages.h"
#include "server/request_limits.h"

namespace bouquet::server {

// `parse` makes `request` of `bytes`, and says whether it could. Errors: ResourceExhausted (more than `most_bytes`), InvalidArgument (no
// message, or not a valid one).
template <typename Request, typename Parse>
absl::Status read_request(const grpc::ByteBuffer& bytes, int32_t most_bytes, Request* request, const Parse& parse) {
  if (absl::Status size = check_size(bytes.Length(), most_bytes); !size.ok()) return size;
  return parse(bytes, request) ? validate(*request) : malformed_message();
}

template <typename Request>
absl::Status read_request(const grpc::ByteBuffer& bytes, int32_t most_bytes, Request* request) {
  return read_request(bytes, most_bytes, request, parse_message);
}

}  // namespace bouquet::server
