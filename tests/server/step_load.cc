#include "tests/server/step_load.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "server/unary_job.h"

namespace bouquet::server {
namespace {

// A call on its way: what gRPC needs until it has ended.
struct Call {
  grpc::ClientContext context;
  v1::RecommendResponse response;
};

std::chrono::steady_clock::duration seconds(double s) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(s));
}

}  // namespace

std::vector<StepAnswer> send_at_rate(v1::Recommendations::Stub& stub, const v1::RecommendRequest& request, double rate, int count,
                                     double deadline_s) {
  std::vector<StepAnswer> answers(static_cast<size_t>(count));
  std::vector<std::unique_ptr<Call>> calls;
  std::mutex mutex;
  std::condition_variable changed;
  int ended = 0;
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) {
    StepAnswer& answer = answers[static_cast<size_t>(i)];
    answer.due_s = i / rate;
    const auto due = began + seconds(answer.due_s);
    std::this_thread::sleep_until(due);
    Call* call = calls.emplace_back(std::make_unique<Call>()).get();
    call->context.set_deadline(std::chrono::system_clock::now() +
                               std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::duration<double>(deadline_s)));
    stub.async()->Recommend(&call->context, &request, &call->response, [&, call, due](const grpc::Status& status) {
      answer.latency_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - due).count();
      answer.code = status.error_code();
      answer.pushed_back = call->context.GetServerTrailingMetadata().contains(kPushbackKey);
      const std::lock_guard lock(mutex);
      ++ended;
      changed.notify_one();
    });
  }
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return ended == count; });
  return answers;
}

std::vector<StepAnswer> with_code(const std::vector<StepAnswer>& answers, grpc::StatusCode code) {
  std::vector<StepAnswer> found;
  std::copy_if(answers.begin(), answers.end(), std::back_inserter(found), [code](const StepAnswer& a) { return a.code == code; });
  return found;
}

double latency_s(const std::vector<StepAnswer>& answers, double share) {
  if (answers.empty()) return 0;
  std::vector<double> latencies;
  for (const StepAnswer& answer : answers) latencies.push_back(answer.latency_s);
  std::sort(latencies.begin(), latencies.end());
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(latencies.size())));
  return latencies[std::clamp<size_t>(rank, 1, latencies.size()) - 1];
}

double goodput(const std::vector<StepAnswer>& answers, double from_s, double to_s, double latency_limit_s) {
  const auto good = std::count_if(answers.begin(), answers.end(), [&](const StepAnswer& a) {
    const double came_s = a.due_s + a.latency_s;
    return a.code == grpc::StatusCode::OK && a.latency_s <= latency_limit_s && came_s >= from_s && came_s < to_s;
  });
  return static_cast<double>(good) / (to_s - from_s);
}

}  // namespace bouquet::server
