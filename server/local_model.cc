#include "server/local_model.h"

#include <utility>

#include "engine/models_directory.h"

namespace bouquet::server {

absl::StatusOr<LocalModel> open_current(const std::string& models, const BackendChoice& choice, const BackendFactory& backends) {
  auto directory = ModelsDirectory::open_existing(models);
  if (!directory.ok()) return directory.status();
  auto artifact = directory->load_current();
  if (!artifact.ok()) return artifact.status();
  auto backend = backends(choice);
  if (!backend.ok()) return backend.status();
  auto served = ServedModel::load(*std::move(artifact), **backend);
  if (!served.ok()) return served.status();
  return LocalModel{*std::move(backend), *std::move(served)};
}

}  // namespace bouquet::server
