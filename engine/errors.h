// The kinds of failure a command can end with, and the exit code of each (docs/operations.md).
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace bouquet {

enum ExitCode : int {
  kExitDone = 0,
  kExitBug = 1,
  kExitUsage = 2,
  kExitBadInput = 3,
  kExitNoResource = 4,
  kExitNotBetter = 5,
};

// A flag, a setting or a request that makes no sense: exit code 2, gRPC INVALID_ARGUMENT.
inline absl::Status wrong_usage(std::string_view message) { return absl::InvalidArgumentError({message.data(), message.size()}); }

// A file or a row that cannot be read or used: exit code 3. The message names the place and what to do.
inline absl::Status bad_input(std::string_view message) { return absl::DataLossError({message.data(), message.size()}); }

// A file, model or column that is not there: exit code 3.
inline absl::Status missing_input(std::string_view message) { return absl::NotFoundError({message.data(), message.size()}); }

// Memory, disk, device or port that cannot be had: exit code 4.
inline absl::Status no_resource(std::string_view message) { return absl::ResourceExhaustedError({message.data(), message.size()}); }

// The new model is not good enough to be published: exit code 5.
inline absl::Status not_better(std::string_view message) { return absl::AbortedError({message.data(), message.size()}); }

inline std::string_view message_of(const absl::Status& status) { return {status.message().data(), status.message().size()}; }

inline ExitCode exit_code(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk: return kExitDone;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kUnimplemented: return kExitUsage;
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kFailedPrecondition: return kExitBadInput;
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kPermissionDenied: return kExitNoResource;
    case absl::StatusCode::kAborted: return kExitNotBetter;
    default: return kExitBug;
  }
}

// Says on stderr what went wrong, if anything did, and returns the exit code of the command.
inline int report(const absl::Status& status) {
  if (!status.ok()) std::fprintf(stderr, "bouquet: %.*s\n", static_cast<int>(message_of(status).size()), message_of(status).data());
  return exit_code(status);
}

}  // namespace bouquet
