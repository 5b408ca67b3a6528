// What `bouquet models` prints: a version, a list of versions, a difference; as text and as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/model_difference.h"
#include "engine/manifest.h"

namespace bouquet::cli {

struct ListedModel {
  std::string version;
  bool current = false;
  absl::StatusOr<Manifest> manifest;
};

std::string utc_text(int64_t microseconds);  // 2026-11-24T15:12:03Z; "-" for 0
std::string size_text(int64_t bytes);        // "12.3 MB"
int64_t bytes_of(const Manifest& manifest);  // of all sections

std::string list_text(const std::vector<ListedModel>& models);
std::string show_text(const ListedModel& model);
std::string diff_text(const Manifest& first, const Manifest& second, const ModelDifference& d);

nlohmann::ordered_json list_json(const std::vector<ListedModel>& models);
nlohmann::ordered_json show_json(const ListedModel& model);
nlohmann::ordered_json diff_json(const Manifest& first, const Manifest& second, const ModelDifference& d);

// One JSON document as text; ids that are no UTF-8 are shown as well as possible.
std::string json_text(const nlohmann::ordered_json& document);

}  // namespace bouquet::cli
