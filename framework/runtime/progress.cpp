#include "runtime/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace avbench::runtime {
namespace {

constexpr int kBarWidth = 24;
constexpr auto kTerminalPeriod = std::chrono::milliseconds(200);
constexpr auto kPlainPeriod = std::chrono::seconds(15);

double seconds(std::chrono::steady_clock::duration d) {
  return std::chrono::duration<double>(d).count();
}

std::string clock_text(double s) {
  const auto total = static_cast<int64_t>(s + 0.5);
  if (total >= 3600) return fmt::format("{}h{:02}m", total / 3600, total / 60 % 60);
  return fmt::format("{}m{:02}s", total / 60, total % 60);
}

}  // namespace

Progress::Progress(std::string title, int64_t total, int64_t already_done, double unit_clips)
    : title_(std::move(title)),
      total_(total),
      first_(already_done),
      unit_clips_(unit_clips),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      last_(start_) {}

Progress::~Progress() {
  if (terminal_ && drawn_) std::fputc('\n', stderr);
}

std::string Progress::line(int64_t done, std::optional<double> loss,
                           const std::string& note) const {
  const double elapsed = seconds(Clock::now() - start_);
  const double per_second = elapsed > 0 ? static_cast<double>(done - first_) / elapsed : 0;
  std::string text = fmt::format("{}/{}", done, total_);
  if (unit_clips_ > 0) text += fmt::format("  {:.1f} clips/s", per_second * unit_clips_);
  if (loss) text += fmt::format("  loss {:.4g}", *loss);
  if (!note.empty()) text += "  " + note;
  if (per_second > 0) {
    text += "  ETA " + clock_text(static_cast<double>(total_ - done) / per_second);
  }
  return text;
}

void Progress::update(int64_t done, std::optional<double> loss, const std::string& note) {
  const auto now = Clock::now();
  const bool last = done >= total_;
  if (terminal_) {
    if (!last && drawn_ && now - last_ < kTerminalPeriod) return;
    const auto filled = total_ > 0 ? static_cast<int>(kBarWidth * done / total_) : kBarWidth;
    const std::string bar = std::string(filled, '#') + std::string(kBarWidth - filled, '-');
    fmt::print(stderr, "\r\033[K{} [{}] {}", title_, bar, line(done, loss, note));
  } else {
    if (!last && now - last_ < kPlainPeriod) return;
    fmt::print(stderr, "{}: {}\n", title_, line(done, loss, note));
  }
  std::fflush(stderr);
  drawn_ = true;
  last_ = now;
}

}  // namespace avbench::runtime
