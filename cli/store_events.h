// A server's store as what `bouquet train --store` reads.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "training/event_source.h"

namespace bouquet::cli {

// Errors: NotFound (no store), DataLoss, ResourceExhausted.
absl::StatusOr<std::unique_ptr<training::EventSource>> open_store_events(const std::string& folder);

}  // namespace bouquet::cli
