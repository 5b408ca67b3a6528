// Requests that come at a fixed rate whatever the server does. Latency counts from the time a request was due.
#pragma once

#include <cstdint>
#include <vector>

#include "bouquet/v1/recommendations.grpc.pb.h"

namespace bouquet::server {

struct StepAnswer {
  double due_s = 0;      // when the request was due, in seconds from the beginning
  double latency_s = 0;  // from then to its answer
  grpc::StatusCode code = grpc::StatusCode::OK;
  bool pushed_back = false;  // the trailer says when to try again
};

// Sends `request` `count` times, `rate` a second, each with `deadline_s` to answer, and waits for every answer. In order of sending.
std::vector<StepAnswer> send_at_rate(v1::Recommendations::Stub& stub, const v1::RecommendRequest& request, double rate, int count,
                                     double deadline_s = 30);

// The answers that came with this code.
std::vector<StepAnswer> with_code(const std::vector<StepAnswer>& answers, grpc::StatusCode code);

// The latency that a share of the answers, 0 to 1, does not pass; 0 without answers.
double latency_s(const std::vector<StepAnswer>& answers, double share);

// Answers of code OK, no later than `latency_limit_s`, that came between `from_s` and `to_s`: how many a second.
double goodput(const std::vector<StepAnswer>& answers, double from_s, double to_s, double latency_limit_s);

}  // namespace bouquet::server
