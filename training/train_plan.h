// What the flags of `bouquet train` ask for, checked before a file is read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/backend.h"
#include "training/event_reader.h"
#include "training/read_flags.h"
#include "training/training_run.h"

namespace bouquet::training {

// Untuned, with alpha0 by the balance of the data: what did well on sparse and on dense data (docs/evaluation.md).
constexpr TrainingOptions kUntuned{.dimension = 128, .regularization = 0.1, .regularization_exponent = 0.5};

struct TrainFlags {
  ReadFlags read;
  std::vector<std::string> customer_files;
  std::string store;
  std::string models;
  std::string config;  // bouquet.toml, for its [events.<type>] and [attributes...] tables
  BackendChoice backend;
  TrainingOptions options = kUntuned;
  std::string solver = "auto";
  std::string unobserved_weight = "auto";
  std::string customer_attribute_regularization = "1";
  std::string item_attribute_regularization = "1";
  std::string validation = "auto";
  std::string select_metric = "ndcg";
  std::string attributes = "auto";
  std::string attribute_relevance = "on";
  double content_weight = kContentWeight;
  std::string empty_history_share = "auto";
  int32_t epochs = 0;
  std::string publish = "always";
  std::string checkpoints;  // a folder, or empty: none are kept
  bool dry_run = false;
  bool json = false;
};

enum class Publish { kAlways, kNever };

// Everything that can be refused before a file is read.
struct TrainPlan {
  ReadOptions reading;
  TrainingRequest request;
  Publish publish = Publish::kAlways;
  bool validation_by_data = false;  // --validation auto: chosen when the data are known
};

// Errors: InvalidArgument and Unimplemented, naming the flag; NotFound and InvalidArgument of the configuration file.
absl::StatusOr<TrainPlan> plan_of(const TrainFlags& flags);

}  // namespace bouquet::training
