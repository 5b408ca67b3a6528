#include "training/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"

namespace bouquet::training {
namespace {

class WrittenProgress : public Progress {
 public:
  WrittenProgress(std::FILE* out, bool terminal, std::chrono::milliseconds every, Clock::time_point (*now)())
      : out_(out), terminal_(terminal), every_(every), now_(now) {}

  void begin(const std::string& stage, int64_t steps) override {
    stage_ = stage;
    steps_ = std::max<int64_t>(steps, 1);
    begun_ = last_ = now_();
    if (terminal_) draw(0, "");
  }

  void step(int64_t done, const std::string& detail) override {
    const auto at = now_();
    if (terminal_) return draw(done, detail);
    if (at - last_ < every_) return;
    last_ = at;
    std::fprintf(out_, "%s: %lld of %lld%s%s%s\n", stage_.c_str(), static_cast<long long>(done), static_cast<long long>(steps_),
                 detail.empty() ? "" : ", ", detail.c_str(), left(done).c_str());
  }

  void end(const std::string& detail) override {
    clear();
    std::fprintf(out_, "%s: %s%sin %s\n", stage_.c_str(), detail.c_str(), detail.empty() ? "" : ", ", duration_text(seconds()).c_str());
  }

  void note(const std::string& line) override {
    clear();
    std::fprintf(out_, "%s\n", line.c_str());
  }

 private:
  double seconds() const { return std::chrono::duration<double>(now_() - begun_).count(); }

  std::string left(int64_t done) const {
    if (done <= 0 || done >= steps_) return "";
    return ", at most " + duration_text(seconds() / static_cast<double>(done) * static_cast<double>(steps_ - done)) + " left";
  }

  void draw(int64_t done, const std::string& detail) {
    constexpr int kWidth = 24;
    const auto filled = static_cast<size_t>(kWidth * std::clamp<int64_t>(done, 0, steps_) / steps_);
    const std::string bar = std::string(filled, '#') + std::string(kWidth - filled, '.');
    std::fprintf(out_, "\r\x1b[K%s [%s] %lld/%lld%s%s%s", stage_.c_str(), bar.c_str(), static_cast<long long>(done),
                 static_cast<long long>(steps_), detail.empty() ? "" : ", ", detail.c_str(), left(done).c_str());
    std::fflush(out_);
  }

  void clear() {
    if (terminal_) std::fprintf(out_, "\r\x1b[K");
  }

  std::FILE* out_;
  bool terminal_;
  std::chrono::milliseconds every_;
  Clock::time_point (*now_)();
  std::string stage_;
  int64_t steps_ = 1;
  Clock::time_point begun_, last_;
};

}  // namespace

std::unique_ptr<Progress> make_progress(std::FILE* out, bool terminal, std::chrono::milliseconds every, Clock::time_point (*now)()) {
  return std::make_unique<WrittenProgress>(out, terminal, every, now);
}

std::unique_ptr<Progress> make_progress() { return make_progress(stderr, isatty(fileno(stderr)) != 0); }

std::string duration_text(double seconds) {
  if (seconds < 10) return absl::StrFormat("%.1f s", seconds);
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 60) return absl::StrFormat("%d s", whole);
  if (whole < 3600) return absl::StrFormat("%d min %d s", whole / 60, whole % 60);
  return absl::StrFormat("%d h %d min", whole / 3600, whole % 3600 / 60);
}

}  // namespace bouquet::training
