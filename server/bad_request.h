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
  // Whether no more are taken: then nobody need look for them.
  bool full() const { return full_; }

  // Ok if there are none; else InvalidArgument whose message is the first violation and whose payload holds all of them: the first 20, as
  // long as they take no more than kMostBytes together, because clients refuse an answer whose trailer is over 8 KiB: the message, three
  // bytes for each of its own at worst, and the details in base 64, which have the message again (status_mapping.h).
  absl::Status status() const;

 private:
  static constexpr int kMost = 20;
  static constexpr size_t kMostBytes = 2200, kMostFieldBytes = 200, kMostDescriptionBytes = 700;

  bool full_ = false;
  size_t bytes_ = 0;
  google::rpc::BadRequest bad_request_;
};

}  // namespace bouquet::server
