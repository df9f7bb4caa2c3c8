// results/runs/: which folders hold finished runs, by all that their results depend on, so that a
// row that stands in several tables is finetuned and tested once.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "experiment/fingerprint.h"

namespace avbench::experiment {

class ResultCache {
 public:
  explicit ResultCache(std::filesystem::path results) : results_(std::move(results)) {}

  // Remembers the folder of a run whose summary.json has the fingerprint's hash as "run".
  void add(const Fingerprint& run, const std::filesystem::path& folder) const;

  // The folder of an intact finished run with this fingerprint other than `folder`, if one is
  // known. Nothing if `folder` has begun a run of its own.
  std::optional<std::filesystem::path> find(const Fingerprint& run,
                                            const std::filesystem::path& folder) const;

  // Results, metrics and final checkpoints of a finished run (checkpoints as hard links where the
  // file system has them); those of its test only if asked for.
  static void copy(const std::filesystem::path& finished, const std::filesystem::path& folder,
                   bool with_test);

 private:
  std::filesystem::path entry(const Fingerprint& run) const;
  std::filesystem::path results_;
};

}  // namespace avbench::experiment
