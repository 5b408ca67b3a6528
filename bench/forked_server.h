// A server in a process of its own, held to the processors it is given, so that what it costs is not mixed with what the load costs.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace bouquet::bench {

class ForkedServer {
 public:
  // In the child: starts a server and returns its address; `stop` ends it. What it holds lives in what it returns.
  struct Running {
    std::string address;
    std::function<void()> stop;
  };
  using Start = std::function<absl::StatusOr<Running>()>;

  // Forks, and must therefore come before this process has threads or gRPC. The child lives no longer than its parent. Errors: what
  // `start` said, Internal.
  static absl::StatusOr<std::unique_ptr<ForkedServer>> start(const std::vector<int32_t>& processors, const Start& start);
  // Stops the server and waits for it.
  ~ForkedServer();

  const std::string& address() const { return address_; }
  double cpu_seconds() const;  // used by the child so far

 private:
  ForkedServer(pid_t pid, std::string address) : pid_(pid), address_(std::move(address)) {}
  pid_t pid_;
  std::string address_;
};

// Holds the calling thread and those it starts to `processors`; none: no change. Errors: InvalidArgument.
absl::Status use_processors(const std::vector<int32_t>& processors);

}  // namespace bouquet::bench
