#include "data/dataset.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <unordered_set>

#include "config/check_input.h"
#include "data/class_list.h"
#include "data/file_validator.h"
#include "data/index_cache.h"
#include "io/error.h"
#include "io/json.h"
#include "io/processors.h"
#include "io/sha256.h"

namespace avbench::data {
namespace {

// "corrupt 2, no_audio 1"
std::string status_counts(const std::vector<BadFile>& files) {
  std::map<std::string_view, int64_t> counts;
  for (const BadFile& file : files) ++counts[to_string(file.status)];
  std::string text;
  for (const auto& [status, count] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", status, count);
  }
  return text;
}

// The first `shown`, a line each.
std::string listed(const std::vector<BadFile>& files, size_t shown) {
  std::string text;
  for (size_t i = 0; i < std::min(files.size(), shown); ++i) {
    text += fmt::format("\n  {}: {} ({})", files[i].path.string(), to_string(files[i].status),
                        files[i].message);
  }
  if (files.size() > shown) text += fmt::format("\n  ... and {} more", files.size() - shown);
  return text;
}

// Takes what is known of files other than `items` out of `known`.
IndexEntries take_others(IndexEntries& known, const std::vector<ManifestEntry>& items) {
  std::unordered_set<std::string> ids;
  for (const ManifestEntry& item : items) ids.insert(item.file);
  IndexEntries others;
  for (auto entry = known.begin(); entry != known.end();) {
    const auto next = std::next(entry);
    if (!ids.contains(entry->first)) others.insert(known.extract(entry));
    entry = next;
  }
  return others;
}

void remember(const FileValidator& validator, const std::filesystem::path& file,
              IndexEntries others) {
  if (!validator.changed()) return;
  try {
    IndexEntries entries = validator.entries();
    entries.merge(others);
    save_index_cache(file, entries);
  } catch (const std::exception& error) {
    spdlog::warn("the index of the data set is not kept for the next run: {}", error.what());
  }
}

// Warns of classes that nothing can be learned about.
void check_classes(const Dataset& dataset) {
  if (dataset.size(Split::kTrain) == 0) return;
  std::vector<bool> seen(dataset.classes().size());
  for (const int64_t label : dataset.labels(Split::kTrain)) seen[label] = true;
  for (size_t c = 0; c < seen.size(); ++c) {
    if (!seen[c]) {
      spdlog::warn("class '{}' has no usable file in the training split", dataset.classes()[c]);
    }
  }
}

}  // namespace

std::shared_ptr<const Dataset> Dataset::open(const config::DataConfig& data,
                                             const config::ClipConfig& clip,
                                             const config::SpectrogramConfig& spectrogram,
                                             const config::RunConfig& run,
                                             const OpenProgress& progress, int64_t min_frames) {
  config::check_input(clip, spectrogram);
  if (data.source.empty()) {
    throw io::UserError(
        "protocol.data.source is not set; expected a folder with <split>/<class>/<file>, or a CSV "
        "manifest.");
  }
  auto items = read_source(data.source);
  if (!data.classes.empty()) keep_classes(items, read_class_list(data.classes), data.classes);
  const auto index_file = index_cache_file(data.source);
  IndexEntries known = load_index_cache(index_file);
  // Another list of classes has been used, or will be: what is known of those files stays.
  IndexEntries others;
  if (!data.classes.empty()) others = take_others(known, items);
  const Requirements requirements{
      .clip = clip,
      .spectrogram = spectrogram,
      .tolerate_damage = data.on_damage == config::DataConfig::OnDamage::kTolerate,
      .formats = run.formats,
      .min_frames = min_frames};
  // Nothing else runs meanwhile.
  const int64_t threads = run.workers > 0 ? run.workers : io::processors().usable();
  FileValidator validator(items, known, requirements, threads, progress);

  std::shared_ptr<Dataset> dataset(new Dataset(clip, spectrogram));
  dataset->classes_ = class_names(items);
  try {
    validator.index();
    dataset->make_cache(validator.content_bytes(), run.cache_mib, items.size());
    validator.decode(dataset->cache_.get());
  } catch (...) {
    remember(validator, index_file, std::move(others));
    throw;
  }
  remember(validator, index_file, std::move(others));
  dataset->take(items, validator.samples());
  dataset->make_hashes();
  dataset->check_splits(data.source);
  dataset->report(data);
  return dataset;
}

void Dataset::make_cache(int64_t bytes, int64_t limit_mib, int64_t samples) {
  const double mib = static_cast<double>(bytes) / (1 << 20);
  if (bytes <= limit_mib << 20) {
    cache_ = std::make_unique<ContentCache>(samples);
    spdlog::info("decoded files are kept in memory: {:.0f} MiB", mib);
  } else if (limit_mib > 0) {
    spdlog::info(
        "files are decoded anew for every batch: the decoded data set has {:.0f} MiB, "
        "run.cache_mib allows {}",
        mib, limit_mib);
  }
}

void Dataset::take(const std::vector<ManifestEntry>& items, std::vector<CheckedSample>& samples) {
  for (size_t i = 0; i < items.size(); ++i) {
    auto& [sample, verdict] = samples[i];
    if (verdict.status != media::FileStatus::kOk) {
      std::vector<BadFile>& list = verdict.usable() ? damaged_ : excluded_;
      list.push_back(
          {items[i].id, items[i].path, items[i].split, verdict.status, std::move(verdict.message)});
      if (!verdict.usable()) continue;
    }
    sample.label =
        std::lower_bound(classes_.begin(), classes_.end(), items[i].label) - classes_.begin();
    splits_[static_cast<size_t>(items[i].split)].push_back(std::move(sample));
  }
}

void Dataset::make_hashes() {
  for (const Split split : kSplits) {
    io::Json list = io::Json::array();
    for (const Sample& sample : samples(split)) {
      list.push_back({sample.id, classes_[sample.label], sample.sha256});
    }
    hashes_[static_cast<size_t>(split)] = io::sha256_hex(io::canonical_json(list));
  }
}

std::vector<SplitMember> Dataset::members(Split split) const {
  std::vector<SplitMember> members;
  for (const Sample& sample : samples(split)) {
    members.push_back(
        {split, sample.id, sample.path, sample.segment, sample.stamp.bytes, sample.sha256});
  }
  return members;
}

void Dataset::check_splits(const std::string& source) {
  std::vector<SplitMember> all;
  for (const Split split : kSplits) {
    const auto some = members(split);
    all.insert(all.end(), some.begin(), some.end());
  }
  require_apart(all, source);
  copies_ = find_copies(all);
  warn_of_copies(copies_, source);
}

void Dataset::report(const config::DataConfig& data) const {
  size_t files = excluded_.size();
  for (const auto& split : splits_) files += split.size();
  if (!excluded_.empty() && data.on_bad == config::DataConfig::OnBad::kFail) {
    throw io::UserError(fmt::format(
        "{}: {} of {} files are not usable, and data.on_bad is 'fail':{}\nRemove or replace them, "
        "or set data.on_bad to 'exclude' to leave them out and list them.",
        data.source, excluded_.size(), files, listed(excluded_, excluded_.size())));
  }
  if (excluded_.size() == files) {
    throw io::UserError(fmt::format("{}: none of the {} files is usable ({}):{}", data.source,
                                    excluded_.size(), status_counts(excluded_),
                                    listed(excluded_, 10)));
  }
  if (!excluded_.empty()) {
    spdlog::warn("{}: {} of {} files are left out: {}", data.source, excluded_.size(), files,
                 status_counts(excluded_));
  }
  if (!damaged_.empty()) {
    spdlog::warn("{}: {} files are used although a few of their packets are damaged:{}",
                 data.source, damaged_.size(), listed(damaged_, 10));
  }
  check_classes(*this);
}

std::vector<int64_t> Dataset::labels(Split split) const {
  std::vector<int64_t> labels;
  for (const Sample& sample : samples(split)) labels.push_back(sample.label);
  return labels;
}

}  // namespace avbench::data
