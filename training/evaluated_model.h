// What `bouquet evaluate` judges: a published model, events that it has not seen, and what is known of their customers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/artifact.h"
#include "engine/backend.h"
#include "training/cold_customers.h"
#include "training/popularity.h"
#include "training/read_flags.h"
#include "training/seen_events.h"

namespace bouquet::training {

struct EvaluateFlags {
  ReadFlags read;  // --test and how to read it; --seen is read alike
  std::vector<std::string> seen, customers;
  std::string models, version, among, per_customer;
  std::vector<int32_t> lengths{10, 20, 100};
  std::string repeats = "exclude";
  BackendChoice backend;
  int32_t resamples = 2000;
  bool json = false;
};

// Points into itself, so it stays where it was made; `flags`, `artifact` and `model` outlive it.
class EvaluatedModel {
 public:
  // Errors: those of reading the files, of folding in, and of what the model lacks to be judged so.
  absl::Status prepare(const EvaluateFlags& flags, const Artifact& artifact, const LoadedModel& model);

  const TestSet& tests() const { return tests_; }
  const Knowledge& known() const { return known_; }
  const ColdCustomers* cold() const { return cold_.get(); }  // nullptr without --customers
  const std::vector<std::string>& test_sources() const { return test_.sources; }
  std::string_view customer_id(CustomerIndex asked) const { return test_.customers.id(asked); }

 private:
  absl::Status read_cold(const EvaluateFlags& flags, const ReadOptions& reading, const Artifact& artifact, const LoadedModel& model,
                         const RowMaps& rows);
  absl::Status restrict_to(const std::string& path, const IdTable& items);

  Dataset test_;
  SeenCustomers seen_;
  std::vector<uint64_t> among_;
  Popularity popularity_;
  Knowledge known_;
  TestSet tests_;
  std::unique_ptr<ColdCustomers> cold_;
};

}  // namespace bouquet::training
