// R5: a thousand connections at once to a process that may have 256 files open. Those who are connected go on, and once the flood is over,
// or has been silent for too long, everybody else can connect again.
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/paced_backend.h"
#include "tests/server/raw_connection.h"
#include "tests/server/step_load.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using grpc::StatusCode;
using std::chrono::milliseconds;

constexpr int kFloodSize = 1000, kFileLimit = 256;
constexpr int kPromisedMs = 1000, kSlackMs = 250;

void limit_files(rlim_t soft) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = soft == 0 ? limit.rlim_max : soft;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// A process of its own, so that its ends of the connections are not among this one's files.
class Flood {
 public:
  // Forks: to be made before there are threads.
  Flood() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::abort();
    here_ = ends[0];
    process_ = fork();
    if (process_ != 0) {
      close(ends[1]);
      return;
    }
    close(ends[0]);
    limit_files(0);
    for (int port = 0; read(ends[1], &port, sizeof port) == sizeof port;) {
      std::vector<RawConnection> held;
      for (int c = 0; c < kFloodSize; ++c) held.emplace_back("127.0.0.1:" + std::to_string(port));
      const auto open = static_cast<int>(std::count_if(held.begin(), held.end(), [](const RawConnection& c) { return c.is_open(); }));
      if (write(ends[1], &open, sizeof open) != sizeof open || read(ends[1], &port, sizeof port) != sizeof port) break;
      held.clear();
      if (write(ends[1], &open, sizeof open) != sizeof open) break;
    }
    _exit(0);
  }
  ~Flood() {
    close(here_);
    waitpid(process_, nullptr, 0);
  }

  // Connects and holds. Returns how many connections the system took.
  int begin(const std::string& address) { return order(std::stoi(address.substr(address.rfind(':') + 1))); }
  void end() { order(0); }

 private:
  int order(int said) const {
    int answer = -1;
    EXPECT_EQ(write(here_, &said, sizeof said), static_cast<ssize_t>(sizeof said));
    EXPECT_EQ(read(here_, &answer, sizeof answer), static_cast<ssize_t>(sizeof answer));
    return answer;
  }

  int here_ = -1;
  pid_t process_ = 0;
};

// Milliseconds until somebody who connects over and over is heard; `patience_ms` if never.
double time_to_be_heard(const std::string& address, int patience_ms) {
  const auto begin = std::chrono::steady_clock::now();
  const auto passed = [&] { return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count(); };
  while (passed() < patience_ms) {
    RawConnection attempt(address);
    if (attempt.is_open() && attempt.send(http2_preface(65535)) && attempt.hears_within(100)) return passed();
    std::this_thread::sleep_for(milliseconds(10));
  }
  return patience_ms;
}

class ConnectionFlood : public TestServer {
 protected:
  static void SetUpTestSuite() { flood_ = std::make_unique<Flood>(); }
  static void TearDownTestSuite() { flood_.reset(); }
  ConnectionFlood() {
    limit_files(kFileLimit);
    backend_ = std::make_unique<PacedBackend>([](int32_t) { std::this_thread::sleep_for(milliseconds(5)); });
    request_.set_customer_id("customer0");
  }
  ~ConnectionFlood() override { limit_files(0); }
  void open() {
    publish(random_shop(40, 1, 4, 1));
    ServingOptions made = options();
    made.listen = "127.0.0.1:0";
    start(made);
    stub_ = stub();
    ASSERT_EQ(send_at_rate(*stub_, request_, 10, 1)[0].code, StatusCode::OK);  // connected
  }

  static inline std::unique_ptr<Flood> flood_;
  v1::RecommendRequest request_;
  std::unique_ptr<v1::Recommendations::Stub> stub_;
};

TEST_F(ConnectionFlood, HarmsNoCallAndKeepsNobodyOutOnceItIsOver) {
  open();
  auto calls = std::async(std::launch::async, [this] { return send_at_rate(*stub_, request_, 100, 300); });
  std::this_thread::sleep_for(milliseconds(500));
  EXPECT_EQ(flood_->begin(serving_->address()), kFloodSize);
  std::this_thread::sleep_for(milliseconds(1000));
  flood_->end();
  const double heard_ms = time_to_be_heard(serving_->address(), 5000);
  const auto answers = calls.get();
  std::printf("heard %.0f ms after the flood; p99 of calls meanwhile %.1f ms\n", heard_ms, 1e3 * latency_s(answers, 0.99));
  EXPECT_LE(heard_ms, kPromisedMs);
  EXPECT_EQ(with_code(answers, StatusCode::OK).size(), answers.size());
}

TEST_F(ConnectionFlood, ThatStaysSilentIsOverAfterTheHandshakeTimeout) {
  open();
  EXPECT_EQ(flood_->begin(serving_->address()), kFloodSize);
  const double heard_ms = time_to_be_heard(serving_->address(), 10000);
  std::printf("heard after %.0f ms, while all %d connections are held\n", heard_ms, kFloodSize);
  EXPECT_LE(heard_ms, 5000 + kSlackMs);
  flood_->end();
}

TEST_F(ConnectionFlood, ConnectionsPastTheBoundAreClosedAndThoseBeforeItServed) {
  publish(random_shop(40, 1, 4, 1));
  ServingOptions made = options();
  made.listen = "127.0.0.1:0";
  made.grpc.max_connections = 3;
  start(made);
  std::vector<RawConnection> taken;
  for (int c = 0; c < 3; ++c) {
    taken.emplace_back(serving_->address()).send(http2_preface(65535));
    EXPECT_TRUE(taken.back().hears_within(kPromisedMs));
  }
  EXPECT_TRUE(RawConnection(serving_->address()).is_closed_within(kPromisedMs));
  taken.pop_back();
  EXPECT_LT(time_to_be_heard(serving_->address(), kPromisedMs), kPromisedMs);
}

// The control: gRPC's own listener, whose port is gone.
TEST_F(ConnectionFlood, LeavesAListenerOfGrpcsOwnDeaf) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  const auto server = builder.BuildAndStart();
  const std::string address = "127.0.0.1:" + std::to_string(port);
  ASSERT_LT(time_to_be_heard(address, kPromisedMs), kPromisedMs);
  flood_->begin(address);
  std::this_thread::sleep_for(milliseconds(1000));
  flood_->end();
  EXPECT_EQ(time_to_be_heard(address, kPromisedMs), kPromisedMs);
}

}  // namespace
}  // namespace bouquet::server
