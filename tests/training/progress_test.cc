#include "training/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

namespace bouquet::training {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Clock::time_point g_now;

// What a progress writes into memory.
class ProgressTest : public ::testing::Test {
 protected:
  ProgressTest() : out_(open_memstream(&text_, &size_)) { g_now = Clock::time_point{}; }
  ~ProgressTest() override {
    std::fclose(out_);
    std::free(text_);
  }
  std::unique_ptr<Progress> make(bool terminal) {
    return make_progress(out_, terminal, std::chrono::seconds(3), [] { return g_now; });
  }
  std::string written() {
    std::fflush(out_);
    return text_;
  }

 private:
  char* text_ = nullptr;
  size_t size_ = 0;
  std::FILE* out_;
};

TEST_F(ProgressTest, LogsALineEveryFewSecondsOnly) {
  const auto progress = make(false);
  progress->begin("fitting", 10);
  g_now += std::chrono::seconds(2);
  progress->step(1, "objective 9");
  EXPECT_EQ(written(), "");
  g_now += std::chrono::seconds(2);
  progress->step(2, "objective 8");
  EXPECT_EQ(written(), "fitting: 2 of 10, objective 8, at most 16 s left\n");
  g_now += std::chrono::seconds(1);
  progress->end("2 epochs");
  EXPECT_THAT(written(), HasSubstr("fitting: 2 epochs, in 5.0 s\n"));
}

TEST_F(ProgressTest, DrawsABarOnATerminal) {
  const auto progress = make(true);
  progress->begin("fitting", 4);
  progress->step(2, "objective 8");
  EXPECT_THAT(written(), HasSubstr("\r\x1b[Kfitting [############............] 2/4, objective 8"));
  EXPECT_THAT(written(), Not(HasSubstr("\n")));
  progress->note("something");
  EXPECT_THAT(written(), HasSubstr("\r\x1b[Ksomething\n"));
}

TEST(DurationText, ChoosesItsUnit) {
  EXPECT_EQ(duration_text(1.25), "1.2 s");
  EXPECT_EQ(duration_text(59.4), "59 s");
  EXPECT_EQ(duration_text(185), "3 min 5 s");
  EXPECT_EQ(duration_text(7800), "2 h 10 min");
}

}  // namespace
}  // namespace bouquet::training
