#include "bench/forked_server.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <utility>

#include "engine/errors.h"

namespace bouquet::bench {
namespace {

// The child's life: it reports "+address" or "-what went wrong" through the pipe and serves until SIGTERM.
[[noreturn]] void serve(const std::vector<int32_t>& processors, const ForkedServer::Start& start, int pipe) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, nullptr);
  absl::Status pinned = use_processors(processors);
  absl::StatusOr<ForkedServer::Running> running = pinned.ok() ? start() : absl::StatusOr<ForkedServer::Running>(pinned);
  const std::string report = running.ok() ? "+" + running->address : "-" + std::string(message_of(running.status()));
  if (write(pipe, report.data(), report.size()) != static_cast<ssize_t>(report.size())) _exit(1);
  close(pipe);
  if (!running.ok()) _exit(1);
  int signal = 0;
  sigwait(&term, &signal);
  running->stop();
  _exit(0);
}

std::string read_all(int pipe) {
  std::string text;
  char block[512];
  for (ssize_t n; (n = read(pipe, block, sizeof block)) > 0;) text.append(block, static_cast<size_t>(n));
  return text;
}

}  // namespace

absl::Status use_processors(const std::vector<int32_t>& processors) {
  if (processors.empty()) return absl::OkStatus();
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int32_t p : processors) {
    if (p < 0 || p >= CPU_SETSIZE) return wrong_usage("there is no processor " + std::to_string(p));
    CPU_SET(static_cast<size_t>(p), &set);
  }
  if (sched_setaffinity(0, sizeof set, &set) != 0) return wrong_usage("these processors cannot be used (see `taskset -p $$`)");
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ForkedServer>> ForkedServer::start(const std::vector<int32_t>& processors, const Start& start) {
  int ends[2];
  if (pipe(ends) != 0) return no_resource("no pipe for a server process");
  const pid_t pid = fork();
  if (pid < 0) return no_resource("no process for a server");
  if (pid == 0) {
    close(ends[0]);
    serve(processors, start, ends[1]);
  }
  close(ends[1]);
  const std::string report = read_all(ends[0]);
  close(ends[0]);
  std::unique_ptr<ForkedServer> server(new ForkedServer(pid, report.empty() ? report : report.substr(1)));
  if (report.empty() || report[0] != '+')
    return absl::InternalError("the server process did not start: " + (report.empty() ? "it ended" : server->address_));
  return server;
}

ForkedServer::~ForkedServer() {
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
}

double ForkedServer::cpu_seconds() const {
  clockid_t clock;
  timespec used{};
  if (clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

}  // namespace bouquet::bench
