#include "runtime/trace.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <utility>

#include "io/error.h"

namespace avbench::runtime {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

thread_local std::string thread_name;
thread_local PhaseTimes* counting = nullptr;
thread_local TracePhase* innermost = nullptr;

long thread_id() { return ::syscall(SYS_gettid); }

class Writer {
 public:
  explicit Writer(const std::filesystem::path& file)
      : path_(file.string()), file_(std::fopen(path_.c_str(), "w"), &std::fclose) {
    if (!file_)
      throw io::UserError("cannot write the trace " + path_ + ": " + std::strerror(errno));
    put("[\n");
    write({{"name", "process_name"}, {"ph", "M"}, {"args", {{"name", "avbench"}}}});
  }

  void phase(const char* name, const std::string& detail, Clock::time_point begin,
             Clock::time_point end) {
    const std::lock_guard lock(mutex_);
    if (named_.insert(thread_id()).second && !thread_name.empty()) {
      write({{"name", "thread_name"}, {"ph", "M"}, {"args", {{"name", thread_name}}}});
    }
    Json event = {{"name", name},
                  {"ph", "X"},
                  {"ts", microseconds(begin - begin_)},
                  {"dur", microseconds(end - begin)}};
    if (!detail.empty()) event["args"]["detail"] = detail;
    write(std::move(event));
  }

  void finish() {
    const std::lock_guard lock(mutex_);
    put("\n]\n");
    const bool closed = std::fclose(file_.release()) == 0;
    if (failure_ == 0 && !closed) failure_ = errno;
    if (failure_ != 0) {
      throw std::runtime_error("the trace " + path_ + " is incomplete: " + std::strerror(failure_));
    }
  }

 private:
  static double microseconds(Clock::duration d) {
    return std::chrono::duration<double, std::micro>(d).count();
  }

  void write(Json event) {
    event["pid"] = ::getpid();
    event["tid"] = thread_id();
    put((first_ ? "" : ",\n") + event.dump(-1, ' ', false, Json::error_handler_t::replace));
    first_ = false;
  }

  void put(const std::string& text) {
    if (failure_ != 0 || !file_) return;
    if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size()) failure_ = errno;
  }

  std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::mutex mutex_;
  std::set<long> named_;  // threads
  bool first_ = true;
  int failure_ = 0;  // errno of the first
  const Clock::time_point begin_ = Clock::now();
};

// Set and cleared by the main thread; phases hold a share, so none writes into a closed file.
std::mutex current_mutex;
std::shared_ptr<Writer> current;
std::atomic<bool> running = false;

std::shared_ptr<Writer> writer() {
  const std::lock_guard lock(current_mutex);
  return current;
}

}  // namespace

void start_trace(const std::filesystem::path& file) {
  const std::lock_guard lock(current_mutex);
  if (current) throw io::UserError(file.string() + ": a trace is already being written");
  current = std::make_shared<Writer>(file);
  running = true;
}

void finish_trace() {
  running = false;
  std::shared_ptr<Writer> last;
  {
    const std::lock_guard lock(current_mutex);
    last = std::exchange(current, nullptr);
  }
  if (last) last->finish();
}

void name_trace_thread(const std::string& name) { thread_name = name; }

PhaseTimes::PhaseTimes() : outer_(counting) { counting = this; }

PhaseTimes::~PhaseTimes() { counting = outer_; }

TracePhase::TracePhase(const char* name, std::string detail)
    : name_(name),
      on_(running.load(std::memory_order_relaxed)),
      times_(counting),
      outer_(innermost) {
  innermost = this;
  if (on_) detail_ = std::move(detail);
  if (on_ || times_ != nullptr) begin_ = Clock::now();
}

TracePhase::~TracePhase() {
  innermost = outer_;
  if (!on_ && times_ == nullptr) return;
  const auto end = Clock::now();
  if (times_ != nullptr) {
    const double seconds = std::chrono::duration<double>(end - begin_).count();
    times_->seconds_[name_] += seconds - inner_;
    if (outer_ != nullptr) outer_->inner_ += seconds;
  }
  if (!on_) return;
  if (const auto open = writer()) open->phase(name_, detail_, begin_, end);
}

}  // namespace avbench::runtime
