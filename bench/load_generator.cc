#include "bench/load_generator.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <thread>
#include <utility>

#include "engine/errors.h"
#include "engine/seconds_since.h"
#include "server/listen_address.h"

namespace bouquet::bench {
namespace {

using Clock = std::chrono::steady_clock;

// One call on its way.
struct Call {
  grpc::ClientContext context;
  grpc::ByteBuffer answer;
  grpc::Status status;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  Clock::time_point due;
  size_t kind;
  size_t request;
  size_t connection;
};

// Says of which kind the next call is: the one that is furthest behind its share.
class KindChooser {
 public:
  explicit KindChooser(const std::vector<LoadKind>& kinds) : kinds_(kinds), behind_(kinds.size()) {
    for (const LoadKind& kind : kinds) total_ += kind.share;
  }
  size_t next() {
    for (size_t k = 0; k < kinds_.size(); ++k) behind_[k] += kinds_[k].share;
    const auto chosen = std::ranges::max_element(behind_);
    *chosen -= total_;
    return static_cast<size_t>(chosen - behind_.begin());
  }

 private:
  const std::vector<LoadKind>& kinds_;
  std::vector<double> behind_;
  double total_ = 0;
};

// One client thread with its share of the connections.
class LoadThread {
 public:
  LoadThread(const LoadPlan& plan, int32_t index, std::vector<std::shared_ptr<grpc::Channel>> channels)
      : plan_(plan), share_(static_cast<double>(channels.size()) / plan.connections), chooser_(plan.kinds) {
    result.kinds.resize(plan.kinds.size());
    for (auto& channel : channels) stubs_.push_back(std::make_unique<grpc::GenericStub>(std::move(channel)));
    for (const LoadKind& kind : plan.kinds) {
      Sending& sending = kinds_.emplace_back();
      sending.next = static_cast<size_t>(index) * 7919;  // so that threads do not ask the same at a time
      for (const std::string& request : kind.requests) {
        const grpc::Slice slice(request);
        sending.requests.emplace_back(&slice, 1);
      }
    }
    deadline_ = std::chrono::milliseconds(plan.deadline_ms);
  }

  void run(Clock::time_point begin) {
    const auto duration = [](double seconds) {
      return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    };
    counted_from_ = begin + duration(plan_.warm_up_seconds);
    end_ = counted_from_ + duration(plan_.seconds);
    limit_ = static_cast<int64_t>(static_cast<double>(plan_.max_requests) * share_);
    if (plan_.rate > 0)
      open_loop(begin, duration(1 / (plan_.rate * share_)));
    else
      closed_loop();
    while (outstanding_ > 0) finish_one(Clock::time_point::max());
  }

  LoadResult result;

 private:
  // What is sent of one kind.
  struct Sending {
    std::vector<grpc::ByteBuffer> requests;
    size_t next = 0;
  };

  bool over(Clock::time_point now) const { return now >= end_ || sent_ >= limit_; }

  void open_loop(Clock::time_point begin, Clock::duration interval) {
    for (Clock::time_point due = begin; !over(due); due += interval) {
      while (Clock::now() < due || outstanding_ >= plan_.max_outstanding)
        finish_one(outstanding_ >= plan_.max_outstanding ? Clock::time_point::max() : due);
      if (due >= counted_from_) result.lateness.record(std::chrono::nanoseconds(Clock::now() - due).count());
      send(next_connection_++ % stubs_.size(), due);
    }
  }

  void closed_loop() {
    for (size_t c = 0; c < stubs_.size(); ++c) send(c, Clock::now());
    while (outstanding_ > 0) {
      const size_t connection = finish_one(Clock::time_point::max());
      if (const auto now = Clock::now(); !over(now)) send(connection, now);
    }
  }

  void send(size_t connection, Clock::time_point due) {
    auto* call = new Call();
    call->due = due;
    call->connection = connection;
    call->kind = chooser_.next();
    Sending& kind = kinds_[call->kind];
    call->request = kind.next++ % kind.requests.size();
    call->context.set_deadline(std::chrono::system_clock::now() + deadline_);
    call->reader =
        stubs_[connection]->PrepareUnaryCall(&call->context, plan_.kinds[call->kind].method, kind.requests[call->request], &queue_);
    call->reader->StartCall();
    call->reader->Finish(&call->answer, &call->status, call);
    ++outstanding_;
    ++sent_;
  }

  // Waits for one answer until `until`. Returns its connection; 0 if none came.
  size_t finish_one(Clock::time_point until) {
    void* tag = nullptr;
    bool ok = false;
    const auto wait = until == Clock::time_point::max()
                          ? gpr_inf_future(GPR_CLOCK_MONOTONIC)
                          : gpr_time_from_nanos(std::chrono::duration_cast<std::chrono::nanoseconds>(until.time_since_epoch()).count(),
                                                GPR_CLOCK_MONOTONIC);
    if (queue_.AsyncNext(&tag, &ok, wait) != grpc::CompletionQueue::GOT_EVENT) return 0;
    const std::unique_ptr<Call> call(static_cast<Call*>(tag));
    --outstanding_;
    if (call->due >= counted_from_) count(*call);
    return call->connection;
  }

  void count(const Call& call) {
    CallCounts& counts = result.kinds[call.kind];
    ++counts.by_code[static_cast<size_t>(call.status.error_code()) % counts.by_code.size()];
    if (!call.status.ok()) return;
    counts.latencies.record(std::chrono::nanoseconds(Clock::now() - call.due).count());
    if (!plan_.kinds[call.kind].answers.empty() && !is_right(call)) ++counts.wrong;
  }

  bool is_right(const Call& call) const {
    grpc::Slice slice;
    if (!call.answer.TrySingleSlice(&slice).ok() && !call.answer.DumpToSingleSlice(&slice).ok()) return false;
    return plan_.kinds[call.kind].answers[call.request].is({reinterpret_cast<const char*>(slice.begin()), slice.size()});
  }

  const LoadPlan& plan_;
  const double share_;  // of the whole load
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  std::vector<Sending> kinds_;
  KindChooser chooser_;
  grpc::CompletionQueue queue_;
  std::chrono::milliseconds deadline_{};
  Clock::time_point counted_from_, end_;
  int64_t limit_ = 0, sent_ = 0, outstanding_ = 0;
  size_t next_connection_ = 0;
};

// The length of a field of bytes, as protobuf writes it; up to 16,383.
bool take_length(std::string_view& bytes, size_t& length) {
  if (bytes.empty()) return false;
  length = static_cast<unsigned char>(bytes[0]) & 0x7f;
  const bool longer = (static_cast<unsigned char>(bytes[0]) & 0x80) != 0;
  bytes.remove_prefix(1);
  if (!longer) return true;
  if (bytes.empty() || (static_cast<unsigned char>(bytes[0]) & 0x80) != 0) return false;
  length |= static_cast<size_t>(bytes[0]) << 7;
  bytes.remove_prefix(1);
  return true;
}

absl::Status check(const LoadPlan& plan) {
  auto address = server::parse_listen_address("the server's address", plan.address);
  if (!address.ok()) return address.status();
  if (!address->is_local()) return wrong_usage("the load generator loads servers on this machine alone, not '" + plan.address + "'");
  if (plan.connections < 1 || plan.connections > 10000 || plan.threads < 1 || plan.threads > plan.connections)
    return wrong_usage("connections must be 1 to 10000, threads 1 to the connections");
  if (!(plan.seconds > 0) || plan.seconds > 600 || !(plan.warm_up_seconds >= 0) || plan.warm_up_seconds > 60)
    return wrong_usage("a load lasts up to 600 seconds, its warm-up up to 60");
  if (!(plan.rate >= 0) || plan.rate > 1e7) return wrong_usage("the rate must be 0 to 10,000,000 per second");
  if (plan.kinds.empty()) return wrong_usage("a load needs calls");
  for (const LoadKind& kind : plan.kinds) {
    if (kind.requests.empty() || (!kind.answers.empty() && kind.answers.size() != kind.requests.size()))
      return wrong_usage("a load needs requests of each kind, and as many answers if any");
    if (!(kind.share > 0) || kind.share > 1e9) return wrong_usage("the share of each kind of call must be positive");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::shared_ptr<grpc::Channel>>> open_channels(const LoadPlan& plan, int32_t count) {
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own for each channel
  for (int32_t c = 0; c < count; ++c) {
    channels.push_back(grpc::CreateCustomChannel(plan.address, grpc::InsecureChannelCredentials(), arguments));
    if (!channels.back()->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(5)))
      return absl::UnavailableError("no server answered at '" + plan.address + "' within 5 s");
  }
  return channels;
}

}  // namespace

int64_t CallCounts::failed() const { return std::accumulate(by_code.begin() + 1, by_code.end(), int64_t{0}); }

void CallCounts::add(const CallCounts& other) {
  for (size_t code = 0; code < by_code.size(); ++code) by_code[code] += other.by_code[code];
  wrong += other.wrong;
  latencies.add(other.latencies);
}

nlohmann::ordered_json CallCounts::as_json() const {
  nlohmann::ordered_json json{{"ok", ok()}, {"wrong", wrong}, {"failed", failed()}, {"by_code", nlohmann::ordered_json::object()}};
  for (size_t code = 0; code < by_code.size(); ++code)
    if (by_code[code] > 0) json["by_code"][absl::StatusCodeToString(static_cast<absl::StatusCode>(code))] = by_code[code];
  nlohmann::ordered_json quantiles = latencies.as_json();
  quantiles.erase("count");
  json.update(quantiles);
  return json;
}

CallCounts LoadResult::all() const {
  CallCounts sum;
  for (const CallCounts& kind : kinds) sum.add(kind);
  return sum;
}

bool ExpectedAnswer::is(std::string_view bytes) const {
  if (!bytes.starts_with(before)) return false;
  bytes.remove_prefix(before.size());
  if (has_name) {
    constexpr char kNameTag = 8 << 3 | 2;
    size_t length = 0;
    if (bytes.empty() || bytes[0] != kNameTag) return false;
    bytes.remove_prefix(1);
    if (!take_length(bytes, length) || length == 0 || length > bytes.size()) return false;
    bytes.remove_prefix(length);
  }
  return bytes == after;
}

absl::StatusOr<LoadResult> run_load(const LoadPlan& plan) {
  if (absl::Status s = check(plan); !s.ok()) return s;
  std::vector<std::unique_ptr<LoadThread>> loads;
  for (int32_t t = 0; t < plan.threads; ++t) {
    const int32_t share = plan.connections / plan.threads + (t < plan.connections % plan.threads ? 1 : 0);
    auto channels = open_channels(plan, share);
    if (!channels.ok()) return channels.status();
    loads.push_back(std::make_unique<LoadThread>(plan, t, *std::move(channels)));
  }
  LoadResult total;
  const auto begin = Clock::now();
  std::vector<std::thread> threads;
  threads.reserve(loads.size());
  for (auto& load : loads) threads.emplace_back([&load, begin] { load->run(begin); });
  if (plan.meter) {
    std::this_thread::sleep_until(begin + std::chrono::duration<double>(plan.warm_up_seconds));
    total.metered = -plan.meter();
  }
  for (std::thread& thread : threads) thread.join();
  if (plan.meter) total.metered += plan.meter();
  total.seconds = std::min(plan.seconds, seconds_since(begin) - plan.warm_up_seconds);
  total.kinds.resize(plan.kinds.size());
  for (const auto& load : loads) {
    for (size_t k = 0; k < total.kinds.size(); ++k) total.kinds[k].add(load->result.kinds[k]);
    total.lateness.add(load->result.lateness);
  }
  return total;
}

}  // namespace bouquet::bench
