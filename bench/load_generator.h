// Load for a gRPC server on this machine, bounded in count and time. Every answer is compared byte for byte with what it must be.
//
// Open loop: requests are due at fixed times whatever the server does, and latency counts from the time a request was due, so that a
// server that stalls cannot hide it. Closed loop: every connection sends its next request when the last one was answered; that finds
// the capacity, and its latencies mean little.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace bouquet::bench {

struct LoadPlan {
  std::string address;                // host:port of this machine, or unix:PATH
  std::string method;                 // "/package.Service/Method", unary
  std::vector<std::string> requests;  // serialized, sent in turn
  std::vector<std::string> answers;   // what each must bring back, or empty: not compared
  int32_t connections = 64;
  int32_t threads = 1;
  double rate = 0;  // requests per second; 0: closed loop
  double seconds = 5;
  double warm_up_seconds = 1;       // sent before, not counted
  int64_t max_requests = 5000000;   // the end if it comes before the time
  int32_t max_outstanding = 10000;  // requests on their way at a time; more wait, and their latency counts
  int32_t deadline_ms = 10000;
};

struct LoadResult {
  std::array<int64_t, 17> by_code{};  // answers by gRPC status code, 0 is OK
  int64_t wrong = 0;                  // OK answers that are not what they must be
  double seconds = 0;
  std::vector<float> latencies_ms;  // of the OK answers, ascending

  int64_t ok() const { return by_code[0]; }
  double per_second() const { return seconds > 0 ? static_cast<double>(ok()) / seconds : 0; }
  // The latency that a share of the answers, 0 to 1, does not pass; 0 without answers.
  double latency_ms(double share) const;
};

// Errors: InvalidArgument (plan; an address of another machine), Unavailable (no server there).
absl::StatusOr<LoadResult> run_load(const LoadPlan& plan);

}  // namespace bouquet::bench
