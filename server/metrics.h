// What the server counts, as Prometheus reads it (docs/operations.md lists every name).
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "server/answer_log.h"
#include "server/batcher.h"
#include "server/eager_solving.h"
#include "server/event_store/event_store.h"
#include "server/model_store.h"
#include "server/placements.h"

namespace bouquet::server {

enum class Method {
  kRecommend = 0,
  kBatchRecommend,
  kSimilarItems,
  kCrossSell,
  kExplain,
  kGetProfile,
  kSimilarCustomers,
  kNextBestAction,
  kRecordEvents,
  kStreamEvents,
  kSetAttributes,
  kEraseCustomer,
  kExportCustomer,
  kMergeCustomers,
  kUnmergeCustomers
};
inline constexpr int kMethodCount = 15;

// Thread-safe. Logs what happens to models as well: the two belong together.
class Metrics : public BatcherObserver,
                public ModelObserver,
                public EventStoreObserver,
                public FreshProfileObserver,
                public EagerSolvingObserver,
                public AnswerLogObserver {
 public:
  // Every placement is a label.
  Metrics(const std::string& backend, const Placements& placements);
  ~Metrics() override;

  // A call that ended, `seconds` after it arrived.
  void call_done(Method method, absl::StatusCode code, double seconds);
  // Rows of an answer, by kind. `placement`: its position; the number of placements for answers without one.
  void offered(size_t placement, const std::array<int64_t, kItemKindCount>& rows);
  void committed(const CommitReport& report) override;
  void unknown_items(int64_t events);  // that were kept of items which the serving model does not know
  void batch_done(int32_t size) override;
  void dropped(Drop reason) override;
  void fresh_profile_read(bool kept) override;
  void solved_ahead(int64_t customers) override;
  void left_to_requests(int64_t customers) override;
  void answers_kept(int64_t answers) override;
  void answers_dropped(int64_t answers) override;
  void answers_failed(int64_t answers) override;
  void model_loaded(const ServedModel& model, double seconds) override;
  void model_refused(const std::string& version, const absl::Status& why) override;

  // The server goes on, but not as it should. The first time is logged.
  void degraded(const std::string& why);
  // Logs it too, every ten seconds at most.
  void connection_refused();

  // The text format of Prometheus, version 0.0.4. The gauges are read now.
  std::string text(const Batcher& batcher, const ModelStore& models) const;

 private:
  struct Instruments;
  std::unique_ptr<Instruments> instruments_;
};

}  // namespace bouquet::server
