#include "server/answer_everybody.h"

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "engine/errors.h"
#include "server/answer_text.h"
#include "server/request_limits.h"

namespace bouquet::server {
namespace {

constexpr size_t kBatch = 64;

absl::Status write_failed(const std::string& path) {
  return no_resource(path + ": cannot be written (is the disk full, the folder there?)");
}

// Answers those customers and writes their lines.
absl::Status answer_some(Recommender& recommender, const std::vector<std::string>& customers, const v1::RecommendRequest& request,
                         std::FILE* file) {
  std::vector<v1::RecommendRequest> requests(customers.size(), request);
  std::vector<v1::RecommendResponse> responses(customers.size());
  std::vector<Question> questions;
  std::vector<absl::Status> statuses(customers.size());
  for (size_t i = 0; i < customers.size(); ++i) {
    requests[i].set_customer_id(customers[i]);
    questions.push_back(Exchange<v1::RecommendRequest, v1::RecommendResponse>{&requests[i], &responses[i]});
  }
  recommender.answer(questions, statuses);
  for (size_t i = 0; i < customers.size(); ++i) {
    if (!statuses[i].ok()) return statuses[i];
    const std::string line = as_json(responses[i], "customer_id", customers[i]) + "\n";
    if (std::fwrite(line.data(), 1, line.size(), file) != line.size()) return write_failed("the output file");
  }
  return absl::OkStatus();
}

// Of an erased customer who has come back there is news.
bool is_gone(const LiveSource* store, CustomerIndex row, std::string_view id) {
  return store != nullptr && store->is_erased(row) && store->version_of(id) == 0;
}

absl::Status answer_all(const ServedModel& served, const AnswerSettings& settings, const v1::RecommendRequest& request, std::FILE* file) {
  auto recommender = Recommender::make(served, kBatch, settings);
  if (!recommender.ok()) return recommender.status();
  const IdTable& customers = served.artifact().customer_ids;
  std::vector<std::string> batch;
  for (CustomerIndex row = 0; row < customers.size(); ++row) {
    if (const auto id = customers.id(row); !is_gone(settings.live.source, row, id)) batch.emplace_back(id);
    if (batch.empty() || (batch.size() < kBatch && row + 1 < customers.size())) continue;
    if (absl::Status s = answer_some(**recommender, batch, request, file); !s.ok()) return s;
    batch.clear();
  }
  return std::fflush(file) == 0 ? absl::OkStatus() : write_failed("the output file");
}

}  // namespace

absl::Status answer_everybody(const ServedModel& served, const AnswerSettings& settings, const v1::RecommendRequest& request,
                              const std::string& out) {
  v1::RecommendRequest checked = request;
  checked.set_customer_id("any");
  if (absl::Status s = validate(checked); !s.ok()) return s;
  if (out == "-") return answer_all(served, settings, request, stdout);
  const std::string temporary = out + ".tmp";
  std::FILE* file = std::fopen(temporary.c_str(), "wb");
  if (file == nullptr) return write_failed(out);
  absl::Status status = answer_all(served, settings, request, file);
  if (std::fclose(file) != 0 && status.ok()) status = write_failed(out);
  if (status.ok() && std::rename(temporary.c_str(), out.c_str()) != 0) status = write_failed(out);
  if (!status.ok()) std::remove(temporary.c_str());
  return status;
}

}  // namespace bouquet::server
