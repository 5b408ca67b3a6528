#include "training/evaluated_model.h"

#include <fstream>
#include <utility>

#include "engine/errors.h"
#include "training/event_reader.h"

namespace bouquet::training {
namespace {

absl::StatusOr<Dataset> read_events(ReadOptions options, const std::vector<std::string>& files, const Artifact& artifact) {
  options.event_files = files;
  options.event_types = artifact.rules.types;
  options.max_history = artifact.rules.max_history;
  return read_dataset(options);
}

}  // namespace

absl::Status EvaluatedModel::prepare(const EvaluateFlags& flags, const Artifact& artifact, const LoadedModel& model) {
  const auto options = read_options(flags.read);
  if (!options.ok()) return options.status();
  auto test = read_events(*options, options->event_files, artifact);
  if (!test.ok()) return test.status();
  test_ = *std::move(test);
  RowMaps rows = rows_in(test_, artifact.customer_ids, artifact.item_ids);
  known_.histories = HistoriesView::of(artifact.histories);
  if (!flags.seen.empty()) {
    const auto seen = read_events(*options, flags.seen, artifact);
    if (!seen.ok()) return seen.status();
    auto folded = fold_in_seen(*seen, artifact, model);
    if (!folded.ok()) return folded.status();
    seen_ = *std::move(folded);
    for (int32_t c = 0; c < test_.customers.size(); ++c) {
      const int32_t at = seen->customers.find(test_.customers.id(c));
      rows.customers[static_cast<size_t>(c)] = at == kNone ? kNone : seen_.row_of[static_cast<size_t>(at)];
    }
    known_.histories = HistoriesView::of(seen_.histories);
    known_.profiles = {seen_.profiles.data(), known_.histories.rows(), artifact.model.dimension};
  }
  if (known_.histories.counts.empty() && !known_.histories.items.empty())
    return absl::FailedPreconditionError("model " + artifact.version +
                                         " does not keep how often its customers bought; give --seen FILE...");
  popularity_ = Popularity::of({artifact.item_customers.begin(), artifact.item_customers.end()});
  known_.popularity = &popularity_;
  known_.repurchase_share = artifact.repurchase.share;
  known_.model = &artifact.model;
  known_.content = &artifact.content_links;
  auto tests = build_test_set(test_, {}, artifact.rules, rows);
  if (!tests.ok()) return tests.status();
  tests_ = *std::move(tests);
  if (!flags.among.empty())
    if (absl::Status s = restrict_to(flags.among, artifact.item_ids); !s.ok()) return s;
  return flags.customers.empty() ? absl::OkStatus() : read_cold(flags, *options, artifact, model, rows);
}

absl::Status EvaluatedModel::read_cold(const EvaluateFlags& flags, const ReadOptions& reading, const Artifact& artifact,
                                       const LoadedModel& model, const RowMaps& rows) {
  const AttributeSource source{.files = flags.customers,
                               .stored = nullptr,
                               .id = Column::kCustomer,
                               .settings = {},
                               .columns = reading.columns,
                               .max_bad_rows = reading.max_bad_rows,
                               .block_bytes = reading.block_bytes};
  auto cold = cold_customers(test_, rows, source, artifact, model, known_);
  if (!cold.ok()) return cold.status();
  cold_ = *std::move(cold);
  return absl::OkStatus();
}

absl::Status EvaluatedModel::restrict_to(const std::string& path, const IdTable& items) {
  std::ifstream file(path);
  if (!file) return missing_input("--among " + path + ": cannot be read");
  among_.assign(static_cast<size_t>(bitmap_word_count(items.size())), 0);
  int64_t known = 0, lines = 0;
  for (std::string id; std::getline(file, id); ++lines) {
    if (!id.empty() && id.back() == '\r') id.pop_back();
    const int32_t item = items.find(id);
    if (item == kNone) continue;
    ++known;
    among_[static_cast<size_t>(item >> 6)] |= uint64_t{1} << (item & 63);
  }
  if (known == 0)
    return bad_input("--among " + path + ": the model knows none of its " + std::to_string(lines) + " ids (one on each line)");
  known_.among = {among_};
  tests_ = restricted(tests_, known_.among);
  if (tests_.size() == 0) return bad_input("--among " + path + ": no customer of the test took any of these items");
  return absl::OkStatus();
}

}  // namespace bouquet::training
