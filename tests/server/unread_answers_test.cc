#include "server/unread_answers.h"

#include <gtest/gtest.h>

namespace bouquet::server {
namespace {

class FakeStream final : public UnreadAnswers::Stream {
 public:
  void hold() override { ++holds; }
  void give_up() override {
    --holds;
    ++given_up;
    if (answers_gone_at_once) unread->remove(*this, bytes);
  }

  UnreadAnswers* unread = nullptr;
  int64_t bytes = 0;
  bool answers_gone_at_once = false;
  int holds = 0, given_up = 0;
};

class UnreadAnswersOfStreams : public ::testing::Test {
 protected:
  void add(FakeStream& stream, int64_t bytes) {
    stream.unread = &unread_;
    stream.bytes += bytes;
    unread_.add(stream, bytes);
  }
  void read(FakeStream& stream, int64_t bytes) {
    stream.bytes -= bytes;
    unread_.remove(stream, bytes);
  }

  UnreadAnswers unread_{100};
  FakeStream a_, b_, c_;
};

TEST_F(UnreadAnswersOfStreams, UpToTheBoundNobodyIsGivenUp) {
  add(a_, 60);
  add(b_, 40);
  EXPECT_EQ(a_.given_up + b_.given_up, 0);
  add(b_, 1);
  EXPECT_EQ(a_.given_up, 1);
  EXPECT_EQ(b_.given_up, 0);
  EXPECT_EQ(a_.holds, 0);
}

TEST_F(UnreadAnswersOfStreams, WhoHasReadLastIsGivenUpLast) {
  add(a_, 60);
  add(b_, 30);
  read(a_, 10);
  add(c_, 30);
  EXPECT_EQ(a_.given_up, 0);
  EXPECT_EQ(b_.given_up, 1);
  read(a_, 50);
  add(b_, 1000);  // its answers that were still to come: they count no more
  EXPECT_EQ(c_.given_up, 0);
  read(b_, 1030);
  add(a_, 71);
  EXPECT_EQ(c_.given_up, 1);
  EXPECT_EQ(a_.given_up, 0);
}

TEST_F(UnreadAnswersOfStreams, AsManyAsItTakes) {
  add(a_, 30);
  add(b_, 30);
  add(c_, 101);
  EXPECT_EQ(a_.given_up, 1);
  EXPECT_EQ(b_.given_up, 1);
  EXPECT_EQ(c_.given_up, 1);
}

TEST_F(UnreadAnswersOfStreams, WhoIsGivenUpMayBeGoneAtOnce) {
  a_.answers_gone_at_once = true;
  add(a_, 60);
  add(b_, 60);
  EXPECT_EQ(a_.given_up, 1);
  add(b_, 40);
  EXPECT_EQ(b_.given_up, 0);
  add(c_, 1);
  EXPECT_EQ(b_.given_up, 1);
  EXPECT_EQ(a_.given_up, 1);
}

}  // namespace
}  // namespace bouquet::server
