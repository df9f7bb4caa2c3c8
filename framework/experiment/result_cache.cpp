#include "experiment/result_cache.h"

#include <vector>

#include "io/atomic_file.h"
#include "report/run_summary.h"
#include "train/run_layout.h"
#include "train/stored_result.h"

namespace avbench::experiment {
namespace fs = std::filesystem;
namespace {

void link_or_copy(const fs::path& from, const fs::path& to) {
  std::error_code unsupported;
  fs::create_hard_link(from, to, unsupported);
  if (unsupported) fs::copy_file(from, to, fs::copy_options::overwrite_existing);
}

struct Entry {
  std::string folder;  // relative to the results
  std::string run;     // the fingerprint's hash
};
template <class V>
constexpr void fields(V& v, io::MaybeConst<Entry> auto& e) {
  v("folder", e.folder);
  v("run", e.run);
}

}  // namespace

fs::path ResultCache::entry(const Fingerprint& run) const {
  return results_ / "runs" / (run.hash.substr(0, kHashInPath) + ".json");
}

void ResultCache::add(const Fingerprint& run, const fs::path& folder) const {
  fs::create_directories(results_ / "runs");
  const Entry made{.folder = folder.lexically_relative(results_).string(), .run = run.hash};
  io::write_json(entry(run), io::write_fields(made));
}

std::optional<fs::path> ResultCache::find(const Fingerprint& run, const fs::path& folder) const {
  if (fs::exists(folder / train::run_layout::kCheckpoints) ||
      fs::exists(folder / train::run_layout::kFinetuneResult)) {
    return std::nullopt;
  }
  const auto known = train::read_result<Entry>(entry(run));
  if (!known || known->run != run.hash) return std::nullopt;
  fs::path other = results_ / known->folder;
  if (other == folder) return std::nullopt;
  const auto summary = train::read_result<report::RunSummary>(other / train::run_layout::kSummary);
  if (!summary || summary->run != run.hash) return std::nullopt;
  return other;
}

void ResultCache::copy(const fs::path& finished, const fs::path& folder, bool with_test) {
  fs::create_directories(folder / train::run_layout::kCheckpoints);
  // A checkpoint's JSON says that it is whole: last.
  for (const char* name : {"final", "best"}) {
    for (const char* extension : {".safetensors", ".json"}) {
      const fs::path file =
          fs::path(train::run_layout::kCheckpoints) / (std::string(name) + extension);
      if (fs::exists(finished / file)) link_or_copy(finished / file, folder / file);
    }
  }
  std::vector<const char*> files = {train::run_layout::kMetrics,
                                    train::run_layout::kFinetuneResult};
  if (with_test) {
    files.insert(files.end(), {train::run_layout::kPredictions, train::run_layout::kClipPredictions,
                               train::run_layout::kTestResult});
  }
  for (const char* file : files) {
    io::write_file_atomically(folder / file, io::read_file(finished / file));
  }
}

}  // namespace avbench::experiment
