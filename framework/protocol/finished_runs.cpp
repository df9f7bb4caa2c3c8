#include "protocol/finished_runs.h"

#include <vector>

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

// "" if the file is missing or damaged, or holds no such text.
std::string text_in(const fs::path& file, const char* key) {
  const auto json = read_result(file);
  if (!json || !json->is_object() || !json->contains(key) || !json->at(key).is_string()) return "";
  return json->at(key);
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
  if (fs::exists(folder / "checkpoints") || fs::exists(folder / "finetune.json")) {
    return std::nullopt;
  }
  const std::string named = text_in(entry(run), "folder");
  fs::path other = results_ / named;
  if (named.empty() || other == folder) return std::nullopt;
  if (text_in(other / "summary.json", "run") != run.hash) return std::nullopt;
  return other;
}

void FinishedRuns::copy(const fs::path& finished, const fs::path& folder, bool with_test) {
  fs::create_directories(folder / "checkpoints");
  // A checkpoint's JSON says that it is whole: last.
  for (const char* name : {"final", "best"}) {
    for (const char* extension : {".safetensors", ".json"}) {
      const fs::path file = fs::path("checkpoints") / (std::string(name) + extension);
      if (fs::exists(finished / file)) link_or_copy(finished / file, folder / file);
    }
  }
  std::vector<const char*> files = {"metrics.jsonl", "finetune.json"};
  if (with_test) {
    files.insert(files.end(), {"predictions.csv", "predictions_clips.csv", "test.json"});
  }
  for (const char* file : files) {
    write_file_atomically(folder / file, read_file(finished / file));
  }
}

}  // namespace avbench
