// A model of a models directory, loaded for a command that answers without a server.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/backend.h"
#include "server/recommender.h"
#include "server/served_model.h"

namespace bouquet::server {

struct LocalModel {
  std::unique_ptr<Backend> backend;  // outlives what it loaded
  std::shared_ptr<const ServedModel> served;
};

// `version`: that one, or what stands for it now (ModelsDirectory::standing_for); empty: the current one. Errors: those of the factory, of
// ModelsDirectory and of ServedModel::load.
absl::StatusOr<LocalModel> open_model(const std::string& models, const std::string& version, const BackendChoice& choice,
                                      const BackendFactory& backends);

}  // namespace bouquet::server
