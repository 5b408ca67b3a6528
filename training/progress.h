// What long work tells the person who waits for it.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

namespace bouquet::training {

// Not thread-safe.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void begin(const std::string& stage, int64_t steps) = 0;  // steps: how many at most
  virtual void step(int64_t done, const std::string& detail) = 0;   // `done` steps of the stage are behind us
  virtual void end(const std::string& detail) = 0;                  // of the stage
  virtual void note(const std::string& line) = 0;                   // something to read, whatever the stage
};

class NoProgress : public Progress {
 public:
  void begin(const std::string&, int64_t) override {}
  void step(int64_t, const std::string&) override {}
  void end(const std::string&) override {}
  void note(const std::string&) override {}
};

using Clock = std::chrono::steady_clock;

// A bar that redraws itself with rate and time left where `out` is a terminal; otherwise a line when a stage ends and at most one
// every `every` while it lasts. `now` is for tests.
std::unique_ptr<Progress> make_progress(std::FILE* out, bool terminal, std::chrono::milliseconds every = std::chrono::seconds(3),
                                        Clock::time_point (*now)() = &Clock::now);
std::unique_ptr<Progress> make_progress();  // on stderr

// "1.2 s", "3 min 5 s", "2 h 10 min".
std::string duration_text(double seconds);

}  // namespace bouquet::training
