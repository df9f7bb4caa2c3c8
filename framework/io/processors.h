// How many processors this process may use: not always as many as the machine has.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace avbench::io {

struct Processors {
  int64_t logical = 1;  // that the scheduler may put this process on
  int64_t cores = 1;    // among those; two logical processors can share one
  double quota = 0;     // processors' worth of time that the control groups allow; 0: no limit

  // As many threads as can compute at once: the cores, and no more than the quota; at least 1.
  int64_t usable() const;
};

// `allowed`: the logical processors of the affinity mask. Cores and quota are read from /sys and
// /proc below `root`; what cannot be read counts as no limit. Control groups of version 1 and 2.
Processors processors(const std::vector<int>& allowed, const std::filesystem::path& root = "/");

// The processors that this process may use.
Processors processors();

// The default of run.workers and run.threads for `usable` processors. One loader thread for four
// processors, at least one; from eight on, the training step leaves those to the loader.
struct ThreadRule {
  int64_t workers, threads;
};
ThreadRule thread_rule(int64_t usable);

// `wanted`, or the rule's for this process where it is 0.
int64_t loader_threads(int64_t wanted);

}  // namespace avbench::io
