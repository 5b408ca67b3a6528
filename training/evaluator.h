// The figures of the model beside the baselines on one test set: means over customers with 95 % intervals, and the paired
// differences that say whether one is better (docs/evaluation.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/artifact.h"
#include "training/answers.h"
#include "training/bootstrap.h"
#include "training/metrics.h"

namespace bouquet::training {

inline constexpr const char* kModelSubject = "model";
inline constexpr const char* kMostPopular = "most-popular";
inline constexpr const char* kPersonalFrequency = "personal-frequency";
inline constexpr const char* kContentNeighbours = "content-neighbours";

// A subject whose answers are judged.
struct Subject {
  std::string name;
  Answers answers;
};

// Customers by how many distinct items they had consumed before.
struct Segment {
  int32_t least = 0, most = 0;      // items, both included
  std::vector<MetricTable> tables;  // one per subject
};

struct Evaluation {
  Repeats repeats = Repeats::kExclude;
  std::vector<int32_t> lengths;
  // The main row: customers and items that the model knows. The model first, then the baselines; and the model less each baseline.
  std::vector<MetricTable> tables;
  std::vector<MetricTable> differences;  // the subject is the baseline's name
  // The second row: everybody. An item that the model does not know is missed; a customer it does not know gets popular items.
  std::vector<MetricTable> with_unknown;
  std::vector<Segment> segments;  // of the main row, where there are customers
};

// Judges `subjects`, whose first is the model. Metrics of each length: those of metrics.h; popularity, the mean percentile of the
// offered items by customers (Popularity::percentile); coverage, the share of items that are offered to somebody (no interval:
// low = high = value). What is relevant is what the customer consumed in the part, with kExclude less, with kOnly among, what the
// history has as consumed; customers without any are left out. Errors: FailedPrecondition (nobody is left).
absl::StatusOr<Evaluation> judge(const std::vector<Subject>& subjects, const TestSet& tests, const Knowledge& known, Repeats repeats,
                                 const BootstrapOptions& bootstrap);

// The answers of the model and of both baselines; with attributes of the items (no columns: none), of content_neighbours too.
absl::StatusOr<std::vector<Subject>> answered(const LoadedModel& model, const TestSet& tests, const Knowledge& known,
                                              const AnswerOptions& options, const AttributeRows& item_attributes = {});

// These, judged.
absl::StatusOr<Evaluation> evaluate(const LoadedModel& model, const TestSet& tests, const Knowledge& known, const AnswerOptions& options,
                                    const BootstrapOptions& bootstrap, const AttributeRows& item_attributes = {});

// The mean of one metric of one subject over the main row, without intervals: what early stopping and choices on the select part
// look at; `everybody`: over the second row instead. 0 if nobody is left.
double mean_metric(const Answers& answers, size_t length, ListMetric metric, const TestSet& tests, const Knowledge& known, Repeats repeats,
                   bool everybody = false);

const Metric* find_metric(const MetricTable& table, const std::string& name);  // null: not there

}  // namespace bouquet::training
