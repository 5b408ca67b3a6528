#include "server/answer_everybody.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include "engine/errors.h"
#include "server/answer_text.h"
#include "server/recommender.h"
#include "server/request_limits.h"

namespace bouquet::server {
namespace {

constexpr int32_t kBatch = 64;

absl::Status write_failed(const std::string& path) {
  return no_resource(path + ": cannot be written (is the disk full, the folder there?)");
}

// Answers customers [begin, end) and writes their lines.
absl::Status answer_some(Recommender& recommender, const ServedModel& served, const v1::RecommendRequest& settings, int32_t begin,
                         int32_t end, std::FILE* file) {
  const auto n = static_cast<size_t>(end - begin);
  std::vector<v1::RecommendRequest> requests(n, settings);
  std::vector<v1::RecommendResponse> responses(n);
  std::vector<Question> questions;
  std::vector<absl::Status> statuses(n);
  const IdTable& customers = served.artifact().customer_ids;
  for (size_t i = 0; i < n; ++i) {
    const auto id = customers.id(begin + static_cast<int32_t>(i));
    requests[i].mutable_customer_id()->assign(id.data(), id.size());
    questions.push_back(Exchange<v1::RecommendRequest, v1::RecommendResponse>{&requests[i], &responses[i]});
  }
  recommender.answer(questions, statuses);
  for (size_t i = 0; i < n; ++i) {
    if (!statuses[i].ok()) return statuses[i];
    const std::string line = as_json(responses[i], "customer_id", requests[i].customer_id()) + "\n";
    if (std::fwrite(line.data(), 1, line.size(), file) != line.size()) return write_failed("the output file");
  }
  return absl::OkStatus();
}

absl::Status answer_all(const ServedModel& served, const v1::RecommendRequest& settings, std::FILE* file) {
  auto recommender = Recommender::make(served, kBatch);
  if (!recommender.ok()) return recommender.status();
  const int32_t customers = served.artifact().customer_ids.size();
  for (int32_t begin = 0; begin < customers; begin += kBatch)
    if (absl::Status s = answer_some(**recommender, served, settings, begin, std::min(begin + kBatch, customers), file); !s.ok()) return s;
  return std::fflush(file) == 0 ? absl::OkStatus() : write_failed("the output file");
}

}  // namespace

absl::Status answer_everybody(const ServedModel& served, const v1::RecommendRequest& settings, const std::string& out) {
  v1::RecommendRequest checked = settings;
  checked.set_customer_id("any");
  if (absl::Status s = validate(checked); !s.ok()) return s;
  if (out == "-") return answer_all(served, settings, stdout);
  const std::string temporary = out + ".tmp";
  std::FILE* file = std::fopen(temporary.c_str(), "wb");
  if (file == nullptr) return write_failed(out);
  absl::Status status = answer_all(served, settings, file);
  if (std::fclose(file) != 0 && status.ok()) status = write_failed(out);
  if (status.ok() && std::rename(temporary.c_str(), out.c_str()) != 0) status = write_failed(out);
  if (!status.ok()) std::remove(temporary.c_str());
  return status;
}

}  // namespace bouquet::server
