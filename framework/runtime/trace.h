// Phases of a run as a Chrome trace (Trace Event Format), for chrome://tracing or ui.perfetto.dev.
// The one trace of the process: phases lie in every component, and off it costs one relaxed load.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>

namespace avbench::runtime {

// Starts writing; events are appended as phases end, so a killed run leaves a readable trace.
// Throws UserError if the file cannot be created, or a trace is already being written.
void start_trace(const std::filesystem::path& file);

// Ends the file. Throws std::runtime_error with the reason if any of it could not be written.
void finish_trace();

// How this thread is called in the trace from now on, also if the trace starts later.
void name_trace_thread(const std::string& name);

// Adds up the phases of this thread for its own lifetime; of two at once the inner one counts.
class PhaseTimes {
 public:
  PhaseTimes();
  ~PhaseTimes();
  PhaseTimes(const PhaseTimes&) = delete;
  PhaseTimes& operator=(const PhaseTimes&) = delete;

  // Seconds by the phase's name, less those of the phases inside it.
  const std::map<std::string, double>& seconds() const { return seconds_; }

 private:
  friend class TracePhase;
  std::map<std::string, double> seconds_;
  PhaseTimes* outer_;
};

// One phase of this thread: from construction to destruction. Phases of a thread nest.
class TracePhase {
 public:
  // `name` must outlive the phase; `detail` is shown with it.
  explicit TracePhase(const char* name) : TracePhase(name, std::string()) {}
  TracePhase(const char* name, std::string detail);
  ~TracePhase();
  TracePhase(const TracePhase&) = delete;
  TracePhase& operator=(const TracePhase&) = delete;

 private:
  const char* name_;
  std::string detail_;
  bool on_;            // written to a trace
  PhaseTimes* times_;  // null: not counted
  TracePhase* outer_;
  double inner_ = 0;  // seconds of the phases inside
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace avbench::runtime
