// R4: clients that begin and do not go on, or ask and do not read the answer, cost a bounded amount of memory and nobody else's time.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <thread>
#include <vector>

#include "server/process_metrics.h"
#include "tests/server/paced_backend.h"
#include "tests/server/raw_connection.h"
#include "tests/server/step_load.h"
#include "tests/server/test_server.h"

namespace bouquet::server {
namespace {

using grpc::StatusCode;
using std::chrono::milliseconds;

constexpr char kRecommend[] = "/bouquet.v1.Recommendations/Recommend";
constexpr char kStreamEvents[] = "/bouquet.v1.Profiles/StreamEvents";
constexpr int kConnections = 50;
constexpr uint32_t kStreams = 64, kTooMany = 100;  // of each connection: what the server allows, and what it does not
constexpr int64_t kMostBytes = 64 << 20;
constexpr double kSlack = 0.02;  // a busy machine's threads come late
constexpr int kPromisedMs = 5000;

class SlowClients : public TestServer {
 protected:
  SlowClients() {
    backend_ = std::make_unique<PacedBackend>([](int32_t) { std::this_thread::sleep_for(milliseconds(10)); });
    request_.set_customer_id("customer0");
  }
  ServingOptions over_tcp() const {
    ServingOptions made = options();
    made.listen = "127.0.0.1:0";
    made.admin = made.admin_grpc = "";
    return made;
  }
  void open(const ServingOptions& made) {
    publish(random_shop(200, 1, 4, 1));
    start(made);
    stub_ = stub();
    ASSERT_EQ(send_at_rate(*stub_, request_, 10, 1)[0].code, StatusCode::OK);  // connected
  }
  double p99_of_others() {
    const auto answers = send_at_rate(*stub_, request_, 50, 100);
    EXPECT_EQ(with_code(answers, StatusCode::OK).size(), answers.size());
    return latency_s(answers, 0.99);
  }
  // Connections with `streams` calls each that stand still: they say `message`, if it is given, and read nothing.
  void stall(uint32_t streams, const std::string& message) {
    for (int c = 0; c < kConnections; ++c) {
      RawConnection& slow = slow_.emplace_back(serving_->address());
      slow.send(http2_preface(0));
      EXPECT_TRUE(slow.hears_within(kPromisedMs));
      std::string said = http2_acknowledgement();
      for (uint32_t s = 0; s < streams; ++s) {
        said += http2_call(2 * s + 1, kRecommend);
        if (!message.empty()) said += http2_message(2 * s + 1, message);
      }
      slow.send(said);
      // So slowly that the queue takes them all.
      if (!message.empty()) std::this_thread::sleep_for(milliseconds(50));
    }
  }
  // Bytes that the process has more of after `stall`, once nothing changes any more.
  static int64_t bytes_of(const std::function<void()>& stall) {
    const int64_t before = process_use().resident_bytes;
    stall();
    int64_t now = before;
    for (int64_t earlier = -1; earlier != now;) {
      earlier = now;
      std::this_thread::sleep_for(milliseconds(300));
      now = process_use().resident_bytes;
    }
    return now - before;
  }
  int64_t bytes_of_stalled(uint32_t streams, const std::string& message) {
    return bytes_of([&] { stall(streams, message); });
  }
  void expect_bounded(const std::string& message) {
    open(over_tcp());
    const double before = p99_of_others();
    const int64_t bytes = bytes_of_stalled(kStreams, message);
    const double beside = p99_of_others();
#if !defined(__SANITIZE_ADDRESS__)  // which multiplies what everything takes
    EXPECT_LE(bytes, kMostBytes);
#endif
    std::printf("%.1f MB more; p99 of others %.1f ms, before that %.1f ms\n", static_cast<double>(bytes) / (1 << 20), 1e3 * beside,
                1e3 * before);
    EXPECT_LE(beside, 1.2 * before + kSlack);
  }
  std::string question() {
    request_.set_k(10);
    return request_.SerializeAsString();
  }

  v1::RecommendRequest request_;
  std::unique_ptr<v1::Recommendations::Stub> stub_;
  std::vector<RawConnection> slow_;
};

TEST_F(SlowClients, ThoseWhoBeginCallsAndSayNoMoreAreBounded) { expect_bounded(""); }
TEST_F(SlowClients, ThoseWhoReadNoAnswersAreBounded) { expect_bounded(question()); }

TEST_F(SlowClients, ConnectionsWithMoreStreamsThanAllowedAreClosed) {
  open(over_tcp());
  stall(kTooMany, "");
  for (RawConnection& rude : slow_) EXPECT_TRUE(rude.is_closed_within(kPromisedMs));
}

// The control: as many streams as a connection likes.
TEST_F(SlowClients, WithoutTheLimitOfStreamsTheyAreNot) {
  ServingOptions made = over_tcp();
  made.grpc.max_streams_per_connection = 1 << 20;
  open(made);
  const int64_t bytes = bytes_of_stalled(5 * kTooMany, question());
  std::printf("%.1f MB more\n", static_cast<double>(bytes) / (1 << 20));
  EXPECT_GT(bytes, kMostBytes);
}

// Streams of events that nobody reads the answers of. What they send is small and refused, so that the answers are all there is to it.
class UnreadStreams : public SlowClients {
 protected:
  static constexpr int kMessages = 4;  // that each of them sends: as many as are taken before an answer is read
  static constexpr int kEvents = 500;

  UnreadStreams() {
    for (int e = 0; e < kEvents; ++e) message_.add_events();
  }
  void open_with(int64_t most_unread_bytes) {
    ServingOptions made = over_tcp();
    made.admin = "127.0.0.1:0";
    made.store = store_;
    made.most_unread_bytes = most_unread_bytes;
    open(made);
  }
  // A few streams of every connection in turn, so that the server keeps up and lets them send on.
  void stall_events() {
    constexpr uint32_t kAtOnce = 4;
    for (int c = 0; c < kConnections; ++c) {
      slow_.emplace_back(serving_->address()).send(http2_preface(0));
      EXPECT_TRUE(slow_.back().hears_within(kPromisedMs));
      slow_.back().send(http2_acknowledgement());
    }
    const std::string message = message_.SerializeAsString();
    for (uint32_t s = 0; s < kStreams; s += kAtOnce)
      for (RawConnection& slow : slow_) {
        std::string said;
        for (uint32_t at = s; at < s + kAtOnce; ++at) {
          said += http2_call(2 * at + 1, kStreamEvents);
          for (int m = 0; m < kMessages; ++m) said += http2_message(2 * at + 1, message, false);
        }
        EXPECT_TRUE(slow.send(said));
        std::this_thread::sleep_for(milliseconds(5));
      }
  }
  // A message of a caller who reads: as it was answered.
  v1::StreamEventsResponse exchange(grpc::ClientReaderWriter<v1::StreamEventsRequest, v1::StreamEventsResponse>& stream) const {
    v1::StreamEventsResponse answer;
    EXPECT_TRUE(stream.Write(message_));
    EXPECT_TRUE(stream.Read(&answer));
    return answer;
  }

  v1::StreamEventsRequest message_;
};

TEST_F(UnreadStreams, AreBoundedAndThoseWhoReadGoOn) {
  open_with(ServingOptions().most_unread_bytes);
  const auto profiles = v1::Profiles::NewStub(channel());
  grpc::ClientContext context;
  const auto reader = profiles->StreamEvents(&context);
  const auto answer_bytes = static_cast<int64_t>(exchange(*reader).ByteSizeLong());
  ASSERT_GT(answer_bytes * kMessages * kStreams * kConnections, 2 * kMostBytes);
  const int64_t bytes = bytes_of([&] { stall_events(); });
  std::printf("%.1f MB more\n", static_cast<double>(bytes) / (1 << 20));
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_LE(bytes, kMostBytes);
#endif
  for (int64_t m = 2; m <= 20; ++m) EXPECT_EQ(exchange(*reader).message(), m);
  reader->WritesDone();
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_GT(metric("bouquet_calls_total{code=\"RESOURCE_EXHAUSTED\",method=\"StreamEvents\"}"), 0);
  EXPECT_EQ(send_at_rate(*stub_, request_, 10, 1)[0].code, StatusCode::OK);
}

// The control. What is kept is the answers, not what they were made from, which is a multiple.
TEST_F(UnreadStreams, WithoutTheBoundAreNot) {
  open_with(int64_t{1} << 40);
  const auto profiles = v1::Profiles::NewStub(channel());
  grpc::ClientContext context;
  const auto reader = profiles->StreamEvents(&context);
  const auto answers = static_cast<int64_t>(exchange(*reader).ByteSizeLong()) * kMessages * kStreams * kConnections;
  const int64_t bytes = bytes_of([&] { stall_events(); });
  std::printf("%.1f MB more, of which %.1f MB are answers\n", static_cast<double>(bytes) / (1 << 20),
              static_cast<double>(answers) / (1 << 20));
  EXPECT_GT(bytes, kMostBytes);
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_LE(bytes, 2 * answers);
#endif
  EXPECT_EQ(metric("bouquet_calls_total{code=\"RESOURCE_EXHAUSTED\",method=\"StreamEvents\"}"), 0);
}

TEST_F(SlowClients, SilentConnectionsAreClosed) {
  open(over_tcp());
  const auto begin = std::chrono::steady_clock::now();
  for (int c = 0; c < 10; ++c) slow_.emplace_back(serving_->address());
  for (int c = 0; c < 10; ++c) slow_.emplace_back(serving_->address()).send(http2_preface(0).substr(0, 10));
  for (RawConnection& silent : slow_) EXPECT_TRUE(silent.is_closed_within(kPromisedMs + 500));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("closed within %.2f s\n", took.count());
  EXPECT_LE(took.count(), kPromisedMs / 1e3 + 0.5);
  EXPECT_EQ(send_at_rate(*stub_, request_, 10, 1)[0].code, StatusCode::OK);
}

// The control: with gRPC's own patience, two minutes.
TEST_F(SlowClients, WithoutTheHandshakeTimeoutTheyAreNot) {
  ServingOptions made = over_tcp();
  made.grpc.handshake_timeout = std::chrono::minutes(2);
  open(made);
  EXPECT_FALSE(RawConnection(serving_->address()).is_closed_within(kPromisedMs + 500));
}

}  // namespace
}  // namespace bouquet::server
