// Everything that is wrong with one request, as google.rpc.BadRequest: field by field, so that a caller need not guess.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "google/rpc/error_details.pb.h"

namespace bouquet::server {

inline constexpr char kBadRequestType[] = "type.googleapis.com/google.rpc.BadRequest";

// Collects violations. `field` is a path as in the proto: "visitor.events[3].value".
class FieldViolations {
 public:
  void add(std::string field, std::string description);
  bool empty() const { return bad_request_.field_violations_size() == 0; }

  // Ok if there are none; else InvalidArgument whose message is the first violation and whose payload holds all of them (the first 20).
  absl::Status status() const;

 private:
  google::rpc::BadRequest bad_request_;
};

}  // namespace bouquet::server
