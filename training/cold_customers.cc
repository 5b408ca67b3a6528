#include "training/cold_customers.h"

#include <algorithm>
#include <string>
#include <utility>

#include "training/baselines.h"

namespace bouquet::training {
namespace {

constexpr int32_t kFoldInBatch = 64;

// Profiles of the rows `wanted` of `table`, from no events.
absl::Status fold_in(const LoadedModel& model, const AttributeTable& table, const std::vector<int32_t>& wanted, int32_t dimension,
                     std::vector<float>& profiles) {
  const auto profiler = model.make_profiler({.max_batch = kFoldInBatch});
  if (!profiler.ok()) return profiler.status();
  profiles.resize(wanted.size() * static_cast<size_t>(dimension));
  const std::vector<int64_t> no_events(kFoldInBatch + 1, 0);
  GrowingAttributes batch(table.column_count, table.dense_count);
  const AttributeRows all = table.rows();
  for (size_t begin = 0; begin < wanted.size(); begin += kFoldInBatch) {
    const size_t n = std::min<size_t>(kFoldInBatch, wanted.size() - begin);
    batch.clear();
    for (size_t r = begin; r < begin + n; ++r) batch.append_row(all, wanted[r]);
    const HistoryBatch histories{
        .offsets = std::span(no_events).first(n + 1), .items = {}, .confidences = {}, .targets = {}, .attributes = batch.rows()};
    const MatrixView<float> out{profiles.data() + begin * static_cast<size_t>(dimension), static_cast<int64_t>(n), dimension};
    if (absl::Status s = (*profiler)->solve(histories, {.profiles = out}); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ColdCustomers>> cold_customers(Dataset& test, const RowMaps& rows, const AttributeSource& attributes,
                                                              const Artifact& artifact, const LoadedModel& model, const Knowledge& known) {
  if (artifact.model.customer_prior.map.empty())
    return absl::FailedPreconditionError("model " + artifact.version +
                                         " was trained without attributes of customers, so it has nothing to say about those without "
                                         "events; train it with --customers, or leave --customers out here");
  const auto encoded = encode_attributes(attributes, artifact.customer_attributes.schema, test.customers, test.report);
  if (!encoded.ok()) return encoded.status();
  auto cold = std::make_unique<ColdCustomers>();
  RowMaps cold_rows{.customers = std::vector<int32_t>(rows.customers.size(), kNone), .items = rows.items};
  std::vector<int32_t> wanted;
  for (size_t c = 0; c < rows.customers.size(); ++c) {
    if (rows.customers[c] != kNone || !encoded->has_row[c]) continue;
    cold_rows.customers[c] = static_cast<int32_t>(wanted.size());
    wanted.push_back(static_cast<int32_t>(c));
  }
  cold->offsets.assign(wanted.size() + 1, 0);
  cold->known = known;
  cold->known.histories = {.offsets = cold->offsets, .items = {}, .consumed = {}, .repurchase = {}, .counts = {}};
  if (absl::Status s = fold_in(model, encoded->table, wanted, artifact.model.dimension, cold->profiles); !s.ok()) return s;
  cold->known.profiles = {cold->profiles.data(), static_cast<int64_t>(wanted.size()), artifact.model.dimension};
  std::vector<uint8_t> theirs;
  for (const CustomerIndex c : test.events.customers)
    theirs.push_back(c != kNone && cold_rows.customers[static_cast<size_t>(c)] != kNone ? 1 : 0);
  if (std::find(theirs.begin(), theirs.end(), 1) == theirs.end()) return cold;
  auto tests = build_test_set(test, theirs, artifact.rules, cold_rows);
  if (!tests.ok()) return tests.status();
  cold->tests = restricted(*tests, known.among);
  return cold;
}

absl::StatusOr<std::vector<Subject>> cold_subjects(const LoadedModel& model, const ColdCustomers& cold, const AnswerOptions& options) {
  auto answers = answers_of_model(model, cold.tests, cold.known, options);
  if (!answers.ok()) return answers.status();
  std::vector<Subject> subjects;
  subjects.push_back({kModelSubject, *std::move(answers)});
  subjects.push_back({kMostPopular, most_popular(cold.tests, cold.known, options)});
  return subjects;
}

}  // namespace bouquet::training
