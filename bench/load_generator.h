// Load for a gRPC server on this machine, bounded in count and time. Every answer is compared byte for byte with what it must be.
//
// Open loop: requests are due at fixed times whatever the server does, and latency counts from the time a request was due, so that a
// server that stalls cannot hide it. Closed loop: every connection sends its next request when the last one was answered; that finds
// the capacity, and its latencies mean little.
//
// Calls of several kinds are mixed evenly: after any number of them each kind has had its share of the calls, give or take one.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/latency_histogram.h"

namespace bouquet::bench {

// What a call must bring back: these bytes, and between the two parts any recommendation_id, where answers have one.
struct ExpectedAnswer {
  std::string before, after;
  bool has_name = false;

  bool is(std::string_view bytes) const;
};

// `response` as it is, but for its recommendation_id.
template <typename Response>
ExpectedAnswer expected_answer(Response response) {
  if constexpr (requires { response.recommendation_id(); }) {
    static_assert(Response::kRecommendationIdFieldNumber == 8);
    response.clear_recommendation_id();
    const std::string without = response.SerializeAsString();
    response.set_recommendation_id("x");
    const std::string with = response.SerializeAsString();
    // Fields stand by number: the name's tag is where the two part.
    const auto parting = std::mismatch(without.begin(), without.end(), with.begin(), with.end()).first;
    return {{without.begin(), parting}, {parting, without.end()}, true};
  } else {
    return {response.SerializeAsString(), {}, false};
  }
}

struct LoadKind {
  std::string name;                     // in the result
  std::string method;                   // "/package.Service/Method", unary
  double share = 1;                     // of the calls, beside the shares of the other kinds
  std::vector<std::string> requests;    // serialized, sent in turn
  std::vector<ExpectedAnswer> answers;  // what each must bring back, or empty: not compared
};

struct LoadPlan {
  std::string address;  // host:port of this machine, or unix:PATH
  std::vector<LoadKind> kinds;
  int32_t connections = 64;
  int32_t threads = 1;
  double rate = 0;  // requests per second; 0: closed loop
  double seconds = 5;
  double warm_up_seconds = 1;       // sent before, not counted
  int64_t max_requests = 5000000;   // the end if it comes before the time
  int32_t max_outstanding = 10000;  // requests on their way at a time; more wait, and their latency counts
  int32_t deadline_ms = 10000;
  // Read when counting begins and after the last answer, as the processor time of the server; may be empty.
  std::function<double()> meter;
};

// Of the calls of one kind, or of all.
struct CallCounts {
  std::array<int64_t, 17> by_code{};  // answers by gRPC status code, 0 is OK
  int64_t wrong = 0;                  // OK answers that are not what they must be
  LatencyHistogram latencies;         // of the OK answers

  int64_t ok() const { return by_code[0]; }
  int64_t failed() const;  // answers of another code
  void add(const CallCounts& other);
  // ok, wrong, failed, by_code (names of those that came), and the latencies' quantiles.
  nlohmann::ordered_json as_json() const;
};

struct LoadResult {
  std::vector<CallCounts> kinds;  // as in the plan
  LatencyHistogram lateness;      // from when calls of an open loop were due until they were sent: the load's own share of their latencies
  double seconds = 0;
  double metered = 0;  // what the meter went on by

  CallCounts all() const;
  double per_second() const { return seconds > 0 ? static_cast<double>(all().ok()) / seconds : 0; }
};

// Errors: InvalidArgument (plan; an address of another machine), Unavailable (no server there).
absl::StatusOr<LoadResult> run_load(const LoadPlan& plan);

}  // namespace bouquet::bench
