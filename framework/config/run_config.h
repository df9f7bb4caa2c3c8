// How to run: never changes a number's meaning.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "config/section.h"

namespace avbench::config {

struct RunConfig {
  enum class OnRebuild { kRetrain, kKeep };
  friend constexpr auto words(OnRebuild) {
    return std::array{Word{OnRebuild::kRetrain, "retrain"}, Word{OnRebuild::kKeep, "keep"}};
  }

  std::string results = "results";
  std::string device = "auto";
  int64_t threads = 0;
  int64_t workers = 0;
  int64_t cache_mib = 4096;
  std::vector<std::string> formats;
  OnRebuild on_rebuild = OnRebuild::kRetrain;
  int64_t checkpoint_every = 200;
  int64_t keep_checkpoints = 2;
};
template <class V>
void fields(V& v, io::MaybeConst<RunConfig> auto& c) {
  v.path("results", c.results, "folder that gets <experiment>/<row>-s<seed>/");
  v("device", c.device,
    "where networks and losses are computed: cpu, cuda (the first GPU), cuda:1, or auto, the first "
    "GPU that works, else the CPU");
  v("threads", c.threads, Range{0, 1024}, "threads of a training step; 0: by the processors");
  v("workers", c.workers, Range{0, 1024}, "loader threads; 0: by the processors");
  v("cache_mib", c.cache_mib, Range{0, 1 << 20},
    "memory for decoded files; a data set that fits is decoded once");
  v.names(
      "formats", c.formats,
      "containers and codecs that are opened beside the usual ones, by FFmpeg's names: for files "
      "that you trust");
  v("on_rebuild", c.on_rebuild,
    "results of another build of a plugin: train again, or keep them and mark the row as stale");
  v("checkpoint_every", c.checkpoint_every, Range{1, 1000000}, "steps between two checkpoints");
  v("keep_checkpoints", c.keep_checkpoints, Range{1, 1000},
    "newest step checkpoints kept while a stage runs; after it one, beside the last and the best");
}

}  // namespace avbench::config
