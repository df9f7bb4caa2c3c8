#include "protocol/finished_runs.h"

#include "io/atomic_file.h"
#include "protocol/run_folder.h"

namespace avbench {
namespace fs = std::filesystem;
namespace {

void link_or_copy(const fs::path& from, const fs::path& to) {
  std::error_code unsupported;
  fs::create_hard_link(from, to, unsupported);
  if (unsupported) fs::copy_file(from, to, fs::copy_options::overwrite_existing);
}

}  // namespace

fs::path FinishedRuns::entry(const Identity& run) const {
  return results_ / "runs" / (run.hash.substr(0, kHashInPath) + ".json");
}

void FinishedRuns::add(const Identity& run, const fs::path& folder) const {
  fs::create_directories(results_ / "runs");
  const std::string relative = folder.lexically_relative(results_).string();
  write_json(entry(run), {{"folder", relative}, {"run", run.hash}});
}

std::optional<fs::path> FinishedRuns::find(const Identity& run, const fs::path& folder) const {
  const auto known = read_result(entry(run));
  if (!known) return std::nullopt;
  const fs::path other = results_ / known->value("folder", "");
  if (other == folder) return std::nullopt;
  const auto summary = read_result(other / "summary.json");
  if (!summary || summary->value("run", "") != run.hash) return std::nullopt;
  return other;
}

void FinishedRuns::copy(const fs::path& finished, const fs::path& folder) {
  if (fs::exists(folder / "checkpoints") || fs::exists(folder / "finetune.json")) return;
  fs::create_directories(folder / "checkpoints");
  // A checkpoint's JSON says that it is whole: last.
  for (const char* name : {"final", "best"}) {
    for (const char* extension : {".safetensors", ".json"}) {
      const fs::path file = fs::path("checkpoints") / (std::string(name) + extension);
      if (fs::exists(finished / file)) link_or_copy(finished / file, folder / file);
    }
  }
  for (const char* file : {"metrics.jsonl", "predictions.csv", "predictions_clips.csv", "test.json",
                           "finetune.json"}) {
    write_file_atomically(folder / file, read_file(finished / file));
  }
}

}  // namespace avbench
