#include "server/bad_request.h"

#include <utility>

#include "engine/errors.h"
#include "engine/text_beginning.h"

namespace bouquet::server {

void FieldViolations::add(std::string field, std::string description) {
  if (full()) return;
  field.resize(text_beginning(field, kMostFieldBytes).size());
  description.resize(text_beginning(description, kMostDescriptionBytes).size());
  if (!empty() && bytes_ + field.size() + description.size() > kMostBytes) {
    full_ = true;
    return;
  }
  bytes_ += field.size() + description.size();
  full_ = bad_request_.field_violations_size() + 1 == kMost;
  auto* violation = bad_request_.add_field_violations();
  violation->set_field(std::move(field));
  violation->set_description(std::move(description));
}

absl::Status FieldViolations::status() const {
  if (empty()) return absl::OkStatus();
  const auto& first = bad_request_.field_violations(0);
  absl::Status status = wrong_usage(first.field() + ": " + first.description());
  status.SetPayload(kBadRequestType, absl::Cord(bad_request_.SerializeAsString()));
  return status;
}

}  // namespace bouquet::server
