// Counts rows that cannot be read, and ends the run when there are more than it tolerates.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "engine/errors.h"
#include "training/dataset.h"

namespace bouquet::training {

class BadRows {
 public:
  BadRows(int64_t tolerated, ReadReport& report) : tolerated_(tolerated), report_(report) {}

  // Errors: DataLoss with place and message, once there are more bad rows than tolerated.
  absl::Status add(const std::string& place, const std::string& message) {
    const std::string text = place + ": " + message;
    if (report_.first_bad_rows.size() < kKept) report_.first_bad_rows.push_back({text});
    if (++report_.bad_rows <= tolerated_) return absl::OkStatus();
    if (tolerated_ == 0) return bad_input(text + " (--max-bad-rows lets rows like this one go)");
    return too_many();
  }
  // Rows of which nothing but the number is known.
  absl::Status add_unnamed(int64_t count) {
    report_.bad_rows += count;
    return report_.bad_rows <= tolerated_ ? absl::OkStatus() : too_many();
  }

 private:
  absl::Status too_many() const {
    return bad_input("there are more bad rows than the " + std::to_string(tolerated_) +
                     " that --max-bad-rows allows; the first: " + report_.first_bad_rows.front().message);
  }

  static constexpr size_t kKept = 20;
  int64_t tolerated_;
  ReadReport& report_;
};

}  // namespace bouquet::training
