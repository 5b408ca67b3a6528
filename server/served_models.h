// The models that answer: the server's own, and those of the models directories that placements name ([placements.<name>] model).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/models_directory.h"
#include "server/model_store.h"
#include "server/placements.h"

namespace bouquet::server {

// The directories that placements name, each once in whatever way it is named, and not the server's own.
struct DirectoriesOfPlacements {
  std::map<std::string, ModelsDirectory> by_path;  // canonical
  std::vector<std::string> path_of;                // [placements] in by_path; empty: the server's own answers
};
// `own`: the server's. With `may_be_missing` they are made where they are not there. Errors: those of opening.
absl::StatusOr<DirectoriesOfPlacements> open_directories(const Placements& placements, const std::string& own, bool may_be_missing);

// Thread-safe. Each has a ModelStore of its own: versions come and go in one without the others.
class ServedModels {
 public:
  // As in DirectoriesOfPlacements::path_of.
  using OptionsOf = std::function<ModelStoreOptions(const std::string& path)>;

  // Everything outlives this. `names`: of answers, that say of which placement they are. Nothing is loaded yet.
  ServedModels(ModelsDirectory own, const DirectoriesOfPlacements& others, const Placements& placements, const AnswerNames& names,
               Backend& backend, const OptionsOf& options, ModelObserver* observer);

  ModelStore& own() { return own_; }
  const ModelStore& own() const { return own_; }
  // Who answers what asks for the placement of that name; an unknown or empty one: own().
  ModelStore& of(std::string_view placement);
  // The same; an unknown one is an error. Errors: NotFound.
  absl::StatusOr<ModelStore*> find(std::string_view placement);
  template <typename Do>
  void for_each(const Do& act) {
    act(own_);
    for (auto& [path, store] : others_) act(*store);
  }

  // Of all; the first error. Those that can are served.
  absl::Status refresh();
  void start_watching();
  // Whether each has a version that serves.
  bool are_there() const;

  // Answers a batch by its worker's recommenders: each question by the model that serves in its store now, all of one store by one version.
  // Whatever asks about an earlier answer is of the placement of that.
  void answer(int32_t worker, std::span<const Question> questions, std::span<absl::Status> statuses);

 private:
  std::string placement_of(const Question& question) const;

  const Placements& placements_;
  const AnswerNames& names_;
  ModelStore own_;
  std::map<std::string, std::unique_ptr<ModelStore>> others_;  // by canonical path
  std::vector<ModelStore*> by_placement_;                      // [placements]
};

}  // namespace bouquet::server
