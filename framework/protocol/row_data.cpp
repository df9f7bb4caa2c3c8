#include "protocol/row_data.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "config/writer.h"
#include "data/sampling.h"
#include "io/error.h"
#include "io/json.h"
#include "train/interrupt.h"
#include "train/progress.h"

namespace avbench {
namespace fs = std::filesystem;
namespace {

// What Dataset::open makes a data set from.
struct Reading {
  DataConfig data;
  ClipConfig clip;
  SpectrogramConfig spectrogram;

  std::string key() const {
    return canonical_json({to_json(data), to_json(clip), to_json(spectrogram)});
  }
};

// Keys that Dataset::open does not look at must not make two readings of one.
Reading labelled_reading(const ProtocolConfig& p) {
  Reading reading{p.data, p.clip, p.spectrogram};
  reading.data.pretrain_source = "";
  reading.data.label_fraction = 1;
  return reading;
}

Reading pretraining_reading(const ProtocolConfig& p) {
  Reading reading = labelled_reading(p);
  if (!p.data.pretrain_source.empty()) reading.data.source = p.data.pretrain_source;
  return reading;
}

std::shared_ptr<const Dataset> open(const Reading& reading, const RunConfig& run,
                                    int64_t min_frames) {
  spdlog::info("opening data set {}", reading.data.source);
  std::unique_ptr<Progress> progress;
  return Dataset::open(
      reading.data, reading.clip, reading.spectrogram, run,
      [&](int64_t done, int64_t total) {
        check_interrupt("reading the data set");
        if (!progress) progress = std::make_unique<Progress>("reading", total);
        progress->update(done);
      },
      min_frames);
}

void require_samples(const Dataset& data, Split split, const std::string& source) {
  if (data.size(split) > 0) return;
  throw UserError(
      fmt::format("{}: the split '{}' has no file that can serve ({} excluded). See "
                  "`avbench dataset index {}`.",
                  source, to_string(split), data.excluded().size(), source));
}

// A file, or a part of one, must not be trained on and measured with.
void require_no_leak(const Dataset& training, const Dataset& data, const std::string& source) {
  const auto key = [](const Sample& sample) {
    return std::pair(fs::weakly_canonical(sample.path), sample.segment);
  };
  std::set<std::pair<fs::path, std::pair<double, double>>> held_out;
  for (const Split split : {Split::kVal, Split::kTest}) {
    for (const Sample& sample : data.samples(split)) held_out.insert(key(sample));
  }
  for (const Sample& sample : training.samples(Split::kTrain)) {
    if (!held_out.contains(key(sample))) continue;
    throw UserError(
        fmt::format("{}: {} is in the training split, but also held out for "
                    "validation or test in protocol.data.source",
                    source, sample.path.string()));
  }
}

void check(const RowData& data, const Reading& labelled, const Reading& pretraining) {
  for (const Split split : {Split::kTrain, Split::kVal, Split::kTest}) {
    require_samples(*data.labelled, split, labelled.data.source);
  }
  require_samples(*data.pretraining, Split::kTrain, pretraining.data.source);
  require_no_leak(*data.labelled, *data.labelled, labelled.data.source);
  if (data.labelled != data.pretraining) {
    require_no_leak(*data.pretraining, *data.labelled, pretraining.data.source);
  }
}

}  // namespace

std::vector<RowData> open_row_data(const Experiment& experiment) {
  int64_t min_frames = 0;
  std::map<std::string, std::shared_ptr<const Dataset>> sets;
  for (const RowConfig& row : experiment.rows) {
    min_frames = std::max(min_frames, clip_span(row.protocol.clip));
    sets[labelled_reading(row.protocol).key()];
    sets[pretraining_reading(row.protocol).key()];
  }
  RunConfig run = experiment.run;
  run.cache_mib /= static_cast<int64_t>(sets.size());

  std::vector<RowData> rows;
  for (const RowConfig& row : experiment.rows) {
    const auto opened = [&](const Reading& reading) {
      auto& set = sets.at(reading.key());
      if (!set) set = open(reading, run, min_frames);
      return set;
    };
    const Reading labelled = labelled_reading(row.protocol);
    const Reading pretraining = pretraining_reading(row.protocol);
    rows.push_back({opened(labelled), opened(pretraining)});
    const bool seen = std::any_of(rows.begin(), rows.end() - 1, [&](const RowData& before) {
      return before.labelled == rows.back().labelled &&
             before.pretraining == rows.back().pretraining;
    });
    if (!seen) check(rows.back(), labelled, pretraining);
  }
  return rows;
}

}  // namespace avbench
