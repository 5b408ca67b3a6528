#include "server/local_model.h"

#include <utility>

#include "engine/models_directory.h"

namespace bouquet::server {

absl::StatusOr<LocalModel> open_model(const std::string& models, const std::string& version, const BackendChoice& choice,
                                      const BackendFactory& backends) {
  auto directory = ModelsDirectory::open_existing(models);
  if (!directory.ok()) return directory.status();
  const auto wanted = version.empty() ? directory->current() : directory->standing_for(version);
  if (!wanted.ok()) return wanted.status();
  auto artifact = directory->load(*wanted);
  if (!artifact.ok()) return artifact.status();
  auto backend = backends(choice);
  if (!backend.ok()) return backend.status();
  auto served = ServedModel::load(*std::move(artifact), **backend);
  if (!served.ok()) return served.status();
  return LocalModel{*std::move(backend), *std::move(served)};
}

}  // namespace bouquet::server
