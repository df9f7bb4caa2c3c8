#include "io/processors.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>

namespace avbench::io {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> first_line(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  if (!std::getline(stream, line)) return std::nullopt;
  return line;
}

int64_t cores_of(const std::vector<int>& allowed, const fs::path& root) {
  std::set<std::pair<std::string, std::string>> cores;
  for (const int cpu : allowed) {
    const fs::path topology =
        root / "sys/devices/system/cpu" / ("cpu" + std::to_string(cpu)) / "topology";
    const auto package = first_line(topology / "physical_package_id");
    const auto core = first_line(topology / "core_id");
    if (!package || !core) return static_cast<int64_t>(allowed.size());
    cores.emplace(*package, *core);
  }
  return std::max<int64_t>(1, static_cast<int64_t>(cores.size()));
}

// "max 100000" or "150000 100000".
double quota_of_version_2(const fs::path& folder) {
  const auto line = first_line(folder / "cpu.max");
  if (!line) return 0;
  std::istringstream text(*line);
  double quota = 0, period = 0;
  return text >> quota >> period && quota > 0 && period > 0 ? quota / period : 0;
}

double quota_of_version_1(const fs::path& folder) {
  const auto number = [&](const char* name) {
    const auto line = first_line(folder / name);
    double value = 0;
    return line && std::istringstream(*line) >> value ? value : 0.0;
  };
  const double quota = number("cpu.cfs_quota_us"), period = number("cpu.cfs_period_us");
  return quota > 0 && period > 0 ? quota / period : 0;
}

// The least of the group's own limit and those of all groups above it. Inside a container the path
// is often that of the host: then only the mounted root is there to be read.
template <typename Read>
double least_quota(const fs::path& mount, const std::string& group, const Read& read) {
  double least = 0;
  for (fs::path folder = fs::path(group).relative_path();; folder = folder.parent_path()) {
    const double quota = read(mount / folder);
    if (quota > 0 && (least == 0 || quota < least)) least = quota;
    if (folder.empty()) return least;
  }
}

double quota_of(const fs::path& root) {
  std::ifstream groups(root / "proc/self/cgroup");
  double least = 0;
  const auto limit = [&](double quota) {
    if (quota > 0 && (least == 0 || quota < least)) least = quota;
  };
  // "0::/user.slice" of version 2, "4:cpu,cpuacct:/docker/x" of version 1.
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    const fs::path mount = root / "sys/fs/cgroup";
    if (controllers.empty()) {
      for (const char* where : {"", "unified"}) {
        limit(least_quota(mount / where, group, quota_of_version_2));
      }
    } else if (("," + controllers + ",").find(",cpu,") != std::string::npos) {
      for (const std::string& where : {controllers, std::string("cpu")}) {
        limit(least_quota(mount / where, group, quota_of_version_1));
      }
    }
  }
  return least;
}

}  // namespace

int64_t Processors::usable() const {
  if (quota <= 0) return cores;
  // Half a processor beyond a whole one is not worth a thread that waits for its time.
  return std::clamp<int64_t>(static_cast<int64_t>(std::floor(quota)), 1, cores);
}

Processors processors(const std::vector<int>& allowed, const fs::path& root) {
  return {.logical = std::max<int64_t>(1, static_cast<int64_t>(allowed.size())),
          .cores = cores_of(allowed, root),
          .quota = quota_of(root)};
}

Processors processors() {
  std::vector<int> allowed;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &set)) allowed.push_back(cpu);
    }
  }
  return processors(allowed);
}

ThreadRule thread_rule(int64_t usable) {
  const int64_t workers = std::clamp<int64_t>(usable / 4, 1, 32);
  return {.workers = workers, .threads = usable >= 8 ? usable - workers : usable};
}

int64_t loader_threads(int64_t wanted) {
  return wanted > 0 ? wanted : thread_rule(processors().usable()).workers;
}

}  // namespace avbench::io
