// The seam between the engine and the hardware.
//
// Calls are coarse on purpose: one per training epoch, one per request batch, one per fold-in batch. Between two calls a backend
// keeps its data where it computes and fuses what it likes; nothing here names a matrix product. Every backend passes the one
// suite in tests/conformance.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/attribute_rows.h"
#include "engine/interactions.h"
#include "engine/memory_table.h"
#include "engine/model.h"
#include "engine/roofline.h"
#include "engine/timed_on_device.h"
#include "engine/training_options.h"
#include "engine/views.h"

namespace bouquet {

enum class Side { kItems, kCustomers };  // what is ranked: items for a customer, or customers for an item

// n queries that are ranked together. Host memory, borrowed for the call.
struct QueryBatch {
  // The asking side, one of the two: rows of the model (customers when items are ranked, and the other way round), or vectors.
  std::span<const int32_t> rows = {};        // [n]
  MatrixView<const float> vectors = {};      // [n, d]
  ListsView exclusions = {};                 // n lists of ranked rows that must not be returned, ascending; or no offsets
  std::span<const BitmapView> filters = {};  // one bitmap over the ranked rows per distinct filter: a set bit may be returned
  std::span<const int32_t> filter_of = {};   // [n] which filter each query has, kNone for no filter; or empty: no query has one
  int32_t k = 10;                            // rows wanted per query, 1 to limits.max_k
};

// Where an answer goes: host memory of the caller.
struct RankedRows {
  std::span<int32_t> rows;  // [n, k] row-major, kNone where there is no more
  std::span<float> scores;  // [n, k] row-major, -infinity where there is no more
};

struct RankerLimits {
  int32_t max_batch = 64;  // queries per call
  int32_t max_k = 100;     // at most 1024
};
inline constexpr int32_t kMaxK = 1024;

// Exact top-k over one side of a loaded model. Owns one worker's stream and scratch memory; rank() allocates nothing that
// grows with the model. Not thread-safe: one Ranker per worker. Keeps its model alive.
class Ranker : public TimedOnDevice {
 public:
  // Writes each query's best k rows, best first, and blocks until `ranked` is filled. Scores are those of score.h; equal scores
  // by lower row. A query with fewer than k eligible rows is padded with kNone / -infinity. n = 0 is allowed.
  // Errors: InvalidArgument (a row, shape, k or batch out of range; `ranked` is then untouched), Internal (device fault).
  virtual absl::Status rank(const QueryBatch& queries, RankedRows ranked) = 0;
};

// n histories to solve profiles from. Named as for customers; where items are solved, "items" are customers and a "profile" is an item
// vector. List r's pairs stand at offsets[r] .. offsets[r + 1]. Host memory, borrowed.
struct HistoryBatch {
  std::span<const int64_t> offsets;    // [n + 1]
  std::span<const int32_t> items;      // ascending and distinct within a history
  std::span<const float> confidences;  // > 0 and finite
  std::span<const float> targets;      // same length, or empty: every target is 1
  AttributeRows attributes = {};       // n rows of as many columns as the model's prior of that side takes; or none where it has no prior
};

// Where solved profiles go: host memory of the caller.
struct ProfileBatch {
  MatrixView<float> profiles;      // [n, d]
  std::span<float> cholesky = {};  // [n, d, d], lower triangle row-major of L with W = L Lᵀ; or empty: not wanted
};

struct ProfilerLimits {
  int32_t max_batch = 64;
  Side solved = Side::kCustomers;  // kItems: vectors of items from the customers who took them, for items younger than the model
};

// Solves profiles from histories exactly as training does (the fold-in): W p = sum of c r q over the history, with
// W = alpha0 QᵀQ + sum of c q qᵀ + lambda rho I (docs/algorithms/ials.md). With a prior, the right side has lambda rho times the prior
// mean beside the sum (docs/algorithms/attributes.md), so that an empty history gets the profile that its attributes lead one to expect,
// shrunk; without one the profile of an empty history is zero. Of customers without events only ModelConstants::empty_history_share of
// alpha0 counts in W. On the CPU the profile of a training history is the stored profile, bit for bit. Not thread-safe; keeps its model
// alive.
class Profiler : public TimedOnDevice {
 public:
  // Errors: InvalidArgument (an item, shape or weight out of range; `solved` is then untouched), Internal (device fault,
  // or a matrix that is not positive definite, with the history's position).
  virtual absl::Status solve(const HistoryBatch& histories, ProfileBatch solved) = 0;
};

// Rows that a model gets after its training. Host memory, borrowed for the call.
struct ModelDelta {
  MatrixView<const float> items = {};      // [k, d] vectors of new items, which become rows item_count, item_count + 1, ...
  MatrixView<const float> customers = {};  // [k, d] profiles of new customers, likewise
};

// A model in the backend's memory. Immutable; shared between threads.
class LoadedModel : public std::enable_shared_from_this<LoadedModel> {
 public:
  virtual ~LoadedModel() = default;

  // Sizes everything now, so that ResourceExhausted appears here and not under load. Errors: InvalidArgument (limits),
  // ResourceExhausted.
  virtual absl::StatusOr<std::unique_ptr<Ranker>> make_ranker(Side side, RankerLimits limits) const = 0;
  virtual absl::StatusOr<std::unique_ptr<Profiler>> make_profiler(ProfilerLimits limits) const = 0;

  // This model with more rows; what does not depend on them is shared with it. Rows that are there already keep their numbers and their
  // bits, and neither Gram matrix changes: new rows are not of the training. Errors: InvalidArgument (rows of another dimension, a number
  // that is not finite), Unimplemented (the backend cannot add rows), ResourceExhausted.
  virtual absl::StatusOr<std::shared_ptr<const LoadedModel>> with(const ModelDelta& /*delta*/) const {
    return absl::UnimplementedError(
        "this backend adds no rows to a loaded model: new items wait for the next training, or use --backend cpu");
  }
};

struct EpochStats {
  int32_t epoch = 0;             // 1 for the first
  double objective = 0;          // L of docs/algorithms/ials.md after the epoch, summed in double
  double seconds = 0;            // of the epoch's solves, without the objective
  double attribute_seconds = 0;  // of these, the attribute steps; the first of a training makes what all of them use
};

// Training state that stays where the backend computes. Not thread-safe.
class TrainingSession : public TimedOnDevice {
 public:
  // One exact half-step over the items, then one over the customers: every epoch ends with the customers, so that a snapshot's
  // profiles are the fold-in of their histories. The objective never rises. Errors: InvalidArgument (a matrix that is not positive definite
  // in float, conjugate gradients that do not converge: the message says which regularization to raise), Internal (device).
  // device_seconds() are of the solves too, without the objective.
  virtual absl::StatusOr<EpochStats> run_epoch() = 0;

  // The model after the last epoch, in host memory, in the original basis. FailedPrecondition before the first epoch.
  virtual absl::StatusOr<Model> snapshot() const = 0;

  // Goes on where a session of the same interactions and options stood after `epoch` epochs, of which `model` is the snapshot: the epochs
  // that follow have the same bits as that session's. Before the first epoch. Errors: InvalidArgument (other shapes, an epoch below 1),
  // FailedPrecondition (an epoch has been run), Unimplemented (the backend cannot), ResourceExhausted and Internal (device): then the
  // session is good for nothing but another go_on_from().
  virtual absl::Status go_on_from(const Model& /*model*/, int32_t /*epoch*/) {
    return absl::UnimplementedError("this backend goes on from no checkpoint");
  }
};

// What judges the epochs of a training while it stays where the backend computes: the model so far, and rankers of its items.
struct JudgingShape {
  int64_t customers = 0;
  int64_t items = 0;
  int32_t dimension = 0;
  int32_t rankers = 0;  // 0: nothing is judged
  RankerLimits limits = {};
};

// What computes. Thread-safe; outlives what it makes.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::string_view name() const = 0;    // "cpu", "cuda"
  virtual std::string description() const = 0;  // instruction set and threads, or device: for logs and manifests
  // Errors: InvalidArgument (a model that validate() refuses), ResourceExhausted. The model's arrays are shared or copied.
  virtual absl::StatusOr<std::shared_ptr<const LoadedModel>> load(const Model& model) = 0;
  // `interactions` outlive the session. Errors: InvalidArgument (options, no pairs), Unimplemented, ResourceExhausted.
  virtual absl::StatusOr<std::unique_ptr<TrainingSession>> start_training(const Interactions& interactions,
                                                                          const TrainingOptions& options) = 0;
  // Measures what the hardware that this backend computes on can do, with as many threads as it uses: within a few seconds, for
  // benchmarks. Errors: Unimplemented (the backend does not say), ResourceExhausted, Internal.
  virtual absl::StatusOr<Roofline> measure_roofline() { return absl::UnimplementedError("this backend does not measure its roofline"); }
  // What such a training would need where the backend computes, by purpose; allocates nothing there. Empty: the backend does not say.
  // `interactions` and `options` are valid.
  virtual MemoryTable training_memory(const Interactions& /*interactions*/, const TrainingOptions& /*options*/) const { return {}; }
  // The same of what judges the epochs beside the training.
  virtual MemoryTable judging_memory(const JudgingShape& /*shape*/) const { return {}; }
  // Bytes that are free there. The largest number: the backend does not say.
  virtual int64_t memory_free() const { return std::numeric_limits<int64_t>::max(); }
  // Bytes that all it has made holds there now, counted as in that table. 0: the backend does not say.
  virtual int64_t memory_used() const { return 0; }
};

// How commands get a backend without knowing any: cli/backends.cc is the composition root.
struct BackendChoice {
  std::string name = "auto";  // auto, cpu, cuda
  int32_t threads = 0;        // of the cpu backend; 0: as many as the machine has
  int32_t device = 0;         // of the cuda backend: counted among those that CUDA_VISIBLE_DEVICES shows
  bool planning = false;      // only the memory of a training will be asked for: with the name cuda, the device may be absent
};
using BackendFactory = std::function<absl::StatusOr<std::unique_ptr<Backend>>(const BackendChoice&)>;

}  // namespace bouquet
