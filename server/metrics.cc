#include "server/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <atomic>
#include <sstream>
#include <vector>

#include "engine/errors.h"
#include "server/log.h"
#include "server/process_metrics.h"

namespace bouquet::server {
namespace {

constexpr std::array<const char*, kMethodCount> kMethodNames{"Recommend",      "BatchRecommend", "SimilarItems",     "CrossSell",
                                                             "Explain",        "GetProfile",     "SimilarCustomers", "NextBestAction",
                                                             "RecordEvents",   "StreamEvents",   "SetAttributes",    "EraseCustomer",
                                                             "ExportCustomer", "MergeCustomers", "UnmergeCustomers"};
constexpr int kCodeCount = 17;
constexpr std::array<const char*, 7> kDropNames{"queue_full", "queue_bytes", "queue_wait",  "expired",
                                                "cancelled",  "closed",      "not_recorded"};
constexpr std::array<const char*, 4> kEventResults{"stored", "repeated", "refused", "failed"};
enum FreshResult : size_t { kKept, kSolved, kAhead, kLeft };
constexpr std::array<const char*, 4> kFreshResults{"kept", "solved", "ahead", "left"};
enum LogResult : size_t { kWritten, kDropped, kFailed };
constexpr std::array<const char*, 3> kLogResults{"kept", "dropped", "failed"};

// 100 microseconds to 5 seconds.
const prometheus::Histogram::BucketBoundaries kLatencyBounds{.0001, .00025, .0005, .001, .0025, .005, .01, .025,
                                                             .05,   .1,     .25,   .5,   1,     2.5,  5};
const prometheus::Histogram::BucketBoundaries kBatchBounds{1, 2, 4, 8, 16, 32, 64, 128, 256};

double seconds_since_epoch() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

}  // namespace

struct Metrics::Instruments {
  Instruments(const std::string& backend_name, const Placements& placements)
      : latency(
            prometheus::BuildHistogram().Name("bouquet_call_seconds").Help("Time from a call's arrival to its answer").Register(registry)),
        calls(prometheus::BuildCounter().Name("bouquet_calls_total").Help("Calls by method and status code").Register(registry)),
        drops(prometheus::BuildCounter()
                  .Name("bouquet_not_executed_total")
                  .Help("Requests that were answered without being executed, by reason")
                  .Register(registry)),
        batch_size(prometheus::BuildHistogram()
                       .Name("bouquet_batch_size")
                       .Help("Requests executed together")
                       .Register(registry)
                       .Add({}, kBatchBounds)),
        loads(prometheus::BuildCounter().Name("bouquet_model_loads_total").Help("Model versions loaded").Register(registry).Add({})),
        refusals(prometheus::BuildCounter()
                     .Name("bouquet_model_refusals_total")
                     .Help("Model versions that could not be served; the one before served on")
                     .Register(registry)
                     .Add({})),
        event_rows(prometheus::BuildCounter()
                       .Name("bouquet_event_rows_total")
                       .Help("Events and changes of attributes that reached the store, by what became of them")
                       .Register(registry)),
        unknown_item_events(prometheus::BuildCounter()
                                .Name("bouquet_events_of_unknown_items_total")
                                .Help("Events that were kept of items that no model which served then knows")
                                .Register(registry)
                                .Add({})),
        fresh_profiles(prometheus::BuildCounter()
                           .Name("bouquet_fresh_profiles_total")
                           .Help("Profiles of customers of whom something is newer than the model, by where they were solved")
                           .Register(registry)),
        logged_answers(prometheus::BuildCounter()
                           .Name("bouquet_logged_answers_total")
                           .Help("Answers of which what came with the request was to be kept, by what became of it")
                           .Register(registry)),
        refused_connections(prometheus::BuildCounter()
                                .Name("bouquet_connections_refused_total")
                                .Help("Connections that were closed because there were as many as may be")
                                .Register(registry)
                                .Add({})),
        write_seconds(prometheus::BuildHistogram()
                          .Name("bouquet_store_write_seconds")
                          .Help("Time of a synced write of events")
                          .Register(registry)
                          .Add({}, kLatencyBounds)),
        queue_depth(gauge("bouquet_queue_depth", "Requests that wait for a worker")),
        parked(gauge("bouquet_parked", "Requests that wait for what is to be recorded (min_profile_version)")),
        executing(gauge("bouquet_executing", "Requests that are being executed")),
        degraded(gauge("bouquet_degraded", "1 once the device was lost and its stand-in computes")),
        model(prometheus::BuildGauge().Name("bouquet_model_info").Help("1 for the version that serves").Register(registry)),
        model_age(gauge("bouquet_model_age_seconds", "Since the serving version was made")),
        model_items(gauge("bouquet_model_items", "Items of the serving version")),
        model_customers(gauge("bouquet_model_customers", "Profiles of the serving version")),
        resident(gauge("process_resident_memory_bytes", "Resident memory")),
        open_files(gauge("process_open_fds", "Open file descriptors")),
        threads(gauge("process_threads", "Threads")),
        cpu(gauge("process_cpu_seconds_total", "User and system time")) {
    prometheus::BuildGauge()
        .Name("bouquet_backend_info")
        .Help("1 for the backend that computes")
        .Register(registry)
        .Add({{"backend", backend_name}})
        .Set(1);
    for (size_t m = 0; m < kMethodCount; ++m) latency_of[m] = &latency.Add({{"method", kMethodNames[m]}}, kLatencyBounds);
    auto& offers = prometheus::BuildCounter()
                       .Name("bouquet_offered_rows_total")
                       .Help("Rows of answers by the kind of item and the placement that was asked for")
                       .Register(registry);
    for (size_t p = 0; p <= placements.all().size(); ++p) {
      const std::string name = p < placements.all().size() ? placements.all()[p].name : std::string();
      for (int kind = 0; kind < kItemKindCount; ++kind)
        offers_of.push_back(&offers.Add({{"kind", std::string(item_kind_name(static_cast<ItemKind>(kind)))}, {"placement", name}}));
    }
    for (size_t r = 0; r < kEventResults.size(); ++r) events_of[r] = &event_rows.Add({{"result", kEventResults[r]}});
    for (size_t r = 0; r < kFreshResults.size(); ++r) fresh_of[r] = &fresh_profiles.Add({{"result", kFreshResults[r]}});
    for (size_t r = 0; r < kLogResults.size(); ++r) logged_of[r] = &logged_answers.Add({{"result", kLogResults[r]}});
    for (size_t d = 0; d < kDropNames.size(); ++d) drop_of[d] = &drops.Add({{"reason", kDropNames[d]}});
    for (size_t m = 0; m < kMethodCount; ++m)
      for (int code = 0; code < kCodeCount; ++code)
        calls_of[m][static_cast<size_t>(code)] =
            &calls.Add({{"method", kMethodNames[m]}, {"code", absl::StatusCodeToString(static_cast<absl::StatusCode>(code))}});
  }

  prometheus::Gauge& gauge(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
  }

  prometheus::Registry registry;
  prometheus::Family<prometheus::Histogram>& latency;
  prometheus::Family<prometheus::Counter>& calls;
  prometheus::Family<prometheus::Counter>& drops;
  prometheus::Histogram& batch_size;
  prometheus::Counter& loads;
  prometheus::Counter& refusals;
  prometheus::Family<prometheus::Counter>& event_rows;
  prometheus::Counter& unknown_item_events;
  prometheus::Family<prometheus::Counter>& fresh_profiles;
  prometheus::Family<prometheus::Counter>& logged_answers;
  prometheus::Counter& refused_connections;
  std::atomic<double> refusal_logged{0};  // seconds since 1970
  prometheus::Histogram& write_seconds;
  prometheus::Gauge& queue_depth;
  prometheus::Gauge& parked;
  prometheus::Gauge& executing;
  prometheus::Gauge& degraded;
  prometheus::Family<prometheus::Gauge>& model;
  prometheus::Gauge& model_age;
  prometheus::Gauge& model_items;
  prometheus::Gauge& model_customers;
  prometheus::Gauge& resident;
  prometheus::Gauge& open_files;
  prometheus::Gauge& threads;
  prometheus::Gauge& cpu;
  std::array<prometheus::Histogram*, kMethodCount> latency_of{};
  std::array<prometheus::Counter*, kEventResults.size()> events_of{};
  std::array<prometheus::Counter*, kFreshResults.size()> fresh_of{};
  std::array<prometheus::Counter*, kLogResults.size()> logged_of{};
  std::array<prometheus::Counter*, kDropNames.size()> drop_of{};
  std::array<std::array<prometheus::Counter*, kCodeCount>, kMethodCount> calls_of{};
  std::vector<prometheus::Counter*> offers_of;  // [placements + 1, kinds]
  std::mutex scrape;                            // one at a time: the gauges are set for it
  prometheus::Gauge* serving = nullptr;
  std::string serving_version;
};

Metrics::Metrics(const std::string& backend, const Placements& placements)
    : instruments_(std::make_unique<Instruments>(backend, placements)) {}
Metrics::~Metrics() = default;

void Metrics::call_done(Method method, absl::StatusCode code, double seconds) {
  const auto m = static_cast<size_t>(method);
  instruments_->latency_of[m]->Observe(seconds);
  instruments_->calls_of[m][static_cast<size_t>(code) % kCodeCount]->Increment();
}

void Metrics::offered(size_t placement, const std::array<int64_t, kItemKindCount>& rows) {
  for (size_t kind = 0; kind < rows.size(); ++kind)
    if (rows[kind] > 0) instruments_->offers_of[placement * kItemKindCount + kind]->Increment(static_cast<double>(rows[kind]));
}

void Metrics::committed(const CommitReport& report) {
  const std::array<int64_t, kEventResults.size()> counts{report.stored, report.repeated, report.refused, report.failed};
  for (size_t r = 0; r < counts.size(); ++r)
    if (counts[r] > 0) instruments_->events_of[r]->Increment(static_cast<double>(counts[r]));
  if (report.write_seconds > 0) instruments_->write_seconds.Observe(report.write_seconds);
}

void Metrics::unknown_items(int64_t events) { instruments_->unknown_item_events.Increment(static_cast<double>(events)); }

void Metrics::fresh_profile_read(bool kept) { instruments_->fresh_of[kept ? kKept : kSolved]->Increment(); }

void Metrics::solved_ahead(int64_t customers) { instruments_->fresh_of[kAhead]->Increment(static_cast<double>(customers)); }

void Metrics::left_to_requests(int64_t customers) { instruments_->fresh_of[kLeft]->Increment(static_cast<double>(customers)); }

void Metrics::answers_kept(int64_t answers) { instruments_->logged_of[kWritten]->Increment(static_cast<double>(answers)); }

void Metrics::answers_dropped(int64_t answers) { instruments_->logged_of[kDropped]->Increment(static_cast<double>(answers)); }

void Metrics::answers_failed(int64_t answers) { instruments_->logged_of[kFailed]->Increment(static_cast<double>(answers)); }

void Metrics::degraded(const std::string& why) {
  if (instruments_->degraded.Value() == 0) log_event(LogLevel::kError, "degraded", {{"why", why}});
  instruments_->degraded.Set(1);
}

void Metrics::connection_refused() {
  instruments_->refused_connections.Increment();
  const double now = seconds_since_epoch();
  double before = instruments_->refusal_logged.load();
  if (now - before < 10 || !instruments_->refusal_logged.compare_exchange_strong(before, now)) return;
  log_event(LogLevel::kWarning, "connections.refused",
            {{"total", std::to_string(static_cast<int64_t>(instruments_->refused_connections.Value()))}});
}

void Metrics::batch_done(int32_t size) { instruments_->batch_size.Observe(size); }

void Metrics::dropped(Drop reason) { instruments_->drop_of[static_cast<size_t>(reason)]->Increment(); }

void Metrics::model_loaded(const ServedModel& model, double seconds) {
  instruments_->loads.Increment();
  log_event(LogLevel::kInfo, "model.loaded",
            {{"version", model.version()},
             {"items", std::to_string(model.item_count())},
             {"customers", std::to_string(model.artifact().customer_ids.size())},
             {"dimension", std::to_string(model.dimension())},
             {"seconds", std::to_string(seconds)}});
}

void Metrics::model_refused(const std::string& version, const absl::Status& why) {
  instruments_->refusals.Increment();
  log_event(LogLevel::kError, "model.refused", {{"version", version}, {"why", std::string(message_of(why))}});
}

std::string Metrics::text(const Batcher& batcher, const ModelStore& models) const {
  Instruments& in = *instruments_;
  const std::lock_guard lock(in.scrape);
  in.queue_depth.Set(batcher.queued());
  in.parked.Set(batcher.parked());
  in.executing.Set(batcher.executing());
  if (const auto serving = models.serving(); serving != nullptr) {
    const ServedModel& model = *serving->model;
    if (in.serving_version != model.version()) {
      if (in.serving != nullptr) in.model.Remove(in.serving);
      in.serving = &in.model.Add({{"version", model.version()}});
      in.serving->Set(1);
      in.serving_version = model.version();
    }
    in.model_age.Set(seconds_since_epoch() - static_cast<double>(model.artifact().created_at) / 1e6);
    in.model_items.Set(model.item_count());
    in.model_customers.Set(model.artifact().customer_ids.size());
  }
  const ProcessUse use = process_use();
  in.resident.Set(static_cast<double>(use.resident_bytes));
  in.open_files.Set(static_cast<double>(use.open_files));
  in.threads.Set(static_cast<double>(use.threads));
  in.cpu.Set(use.cpu_seconds);
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, in.registry.Collect());
  return out.str();
}

}  // namespace bouquet::server
