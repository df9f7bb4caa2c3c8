#include "experiment/row_datasets.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>

#include "config/writer.h"
#include "data/sampling.h"
#include "data/split_check.h"
#include "io/error.h"
#include "io/json.h"
#include "runtime/interrupt.h"
#include "runtime/progress.h"

namespace avbench::experiment {
namespace {

// What Dataset::open makes a data set from.
struct DatasetKey {
  config::DataConfig data;
  config::ClipConfig clip;
  config::SpectrogramConfig spectrogram;

  std::string text() const {
    return io::canonical_json({to_json(data), to_json(clip), to_json(spectrogram)});
  }
};

// Settings that Dataset::open does not look at must not make two data sets of one.
DatasetKey labelled_key(const config::ProtocolConfig& p) {
  DatasetKey key{p.data, p.clip, p.spectrogram};
  key.data.pretrain_source = "";
  key.data.label_fraction = 1;
  key.data.validation_fraction = 1;
  return key;
}

DatasetKey pretraining_key(const config::ProtocolConfig& p) {
  DatasetKey key = labelled_key(p);
  if (!p.data.pretrain_source.empty()) key.data.source = p.data.pretrain_source;
  return key;
}

std::shared_ptr<const data::Dataset> open(const DatasetKey& key, const config::RunConfig& run,
                                          int64_t min_frames) {
  spdlog::info("opening data set {}", key.data.source);
  std::unique_ptr<runtime::Progress> progress;
  return data::Dataset::open(
      key.data, key.clip, key.spectrogram, run,
      [&](int64_t done, int64_t total) {
        runtime::check_interrupt("reading the data set");
        if (!progress) progress = std::make_unique<runtime::Progress>("reading", total);
        progress->update(done);
      },
      min_frames);
}

// Also of two sources: what is pretrained on must not be measured with.
void require_apart(const data::Dataset& pretraining, const data::Dataset& labelled,
                   const std::string& source) {
  std::vector<data::SplitMember> members = pretraining.members(data::Split::kTrain);
  for (const data::Split split : {data::Split::kVal, data::Split::kTest}) {
    const auto held_out = labelled.members(split);
    members.insert(members.end(), held_out.begin(), held_out.end());
  }
  require_apart(members, source);
  data::warn_of_copies(data::find_copies(members), source);
}

void check(const RowDatasets& data, const DatasetKey& labelled, const DatasetKey& pretraining,
           bool tested) {
  const std::string& source = labelled.data.source;
  require_samples(*data.labelled, data::Split::kTrain, source);
  require_samples(*data.labelled, data::Split::kVal, source);
  if (tested) {
    require_samples(*data.labelled, data::Split::kTest, source,
                    " `avbench compare --validation` needs no test split: it compares the "
                    "validation accuracies.");
  }
  require_samples(*data.pretraining, data::Split::kTrain, pretraining.data.source);
  if (source == pretraining.data.source) return;  // Dataset::open has looked
  require_apart(*data.pretraining, *data.labelled,
                fmt::format("protocol.data.pretrain_source {} (train) and protocol.data.source {}",
                            pretraining.data.source, source));
}

}  // namespace

void require_samples(const data::Dataset& data, data::Split split, const std::string& source,
                     const std::string& advice) {
  if (data.size(split) > 0) return;
  throw io::UserError(
      fmt::format("{}: the split '{}' has no usable file ({} excluded). See "
                  "`avbench dataset index {}`.{}",
                  source, to_string(split), data.excluded().size(), source, advice));
}

std::vector<RowDatasets> open_row_datasets(const config::Experiment& experiment, bool tested) {
  int64_t min_frames = 0;
  std::map<std::string, std::shared_ptr<const data::Dataset>> sets;
  for (const config::RowConfig& row : experiment.rows) {
    min_frames = std::max(min_frames, data::clip_span(row.protocol.clip));
    sets[labelled_key(row.protocol).text()];
    sets[pretraining_key(row.protocol).text()];
  }
  config::RunConfig run = experiment.run;
  run.cache_mib /= static_cast<int64_t>(sets.size());

  std::vector<RowDatasets> rows;
  for (const config::RowConfig& row : experiment.rows) {
    const auto opened = [&](const DatasetKey& key) {
      auto& set = sets.at(key.text());
      if (!set) set = open(key, run, min_frames);
      return set;
    };
    const DatasetKey labelled = labelled_key(row.protocol);
    const DatasetKey pretraining = pretraining_key(row.protocol);
    rows.push_back({opened(labelled), opened(pretraining)});
    const bool seen = std::any_of(rows.begin(), rows.end() - 1, [&](const RowDatasets& before) {
      return before.labelled == rows.back().labelled &&
             before.pretraining == rows.back().pretraining;
    });
    if (!seen) check(rows.back(), labelled, pretraining, tested);
  }
  return rows;
}

}  // namespace avbench::experiment
