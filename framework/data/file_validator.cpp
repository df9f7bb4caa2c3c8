#include "data/file_validator.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "io/error.h"
#include "io/sha256.h"
#include "runtime/parallel.h"

namespace avbench::data {
namespace {

int64_t audio_bytes(const Sample& sample, const config::SpectrogramConfig& config) {
  constexpr int64_t kFloat = sizeof(float);
  if (config.audio == config::SpectrogramConfig::Audio::kWhole) {
    return image_planes(config) * config.resize[0] * config.resize[1] * kFloat;
  }
  const auto [begin, end] = sample.segment;
  const media::VideoIndex& index = *sample.index;
  const double seconds = (end < 0 ? index.audio_end() : end) - begin;
  return static_cast<int64_t>(std::max(0.0, seconds) * static_cast<double>(config.sample_rate)) *
         kFloat;
}

// Empty if the file vanished meanwhile.
std::string digest_of(const std::filesystem::path& path) {
  try {
    return io::sha256_file(path);
  } catch (const io::UserError&) {
    return "";
  }
}

}  // namespace

FileValidator::FileValidator(const std::vector<ManifestEntry>& items, const IndexEntries& known,
                             const Requirements& requirements, int64_t threads, Progress progress)
    : items_(items),
      known_(known),
      requirements_(requirements),
      formats_(requirements.formats),
      threads_(threads),
      progress_(std::move(progress)),
      samples_(items.size()) {
  std::unordered_map<std::string, size_t> places;
  for (size_t i = 0; i < items.size(); ++i) {
    const auto [place, is_new] = places.emplace(items[i].file, files_.size());
    if (is_new) files_.push_back({.name = items[i].file});
    files_[place->second].items.push_back(i);
  }
}

void FileValidator::index() {
  runtime::for_each_in_threads(
      static_cast<int64_t>(files_.size()), threads_, [] { return 0; },
      [&](int64_t i, int&) {
        index_one(files_[i]);
        step();
      });
  if (known_.size() != files_.size()) changed_ = true;
}

void FileValidator::index_one(File& file) {
  const std::filesystem::path& path = items_[file.items.front()].path;
  const auto stamp = stamp_of(path);
  const auto found = known_.find(file.name);
  if (stamp && found != known_.end() && found->second.stamp == *stamp) {
    file.entry = found->second;
  } else {
    file.entry.stamp = stamp.value_or(FileStamp{});
    media::VideoIndex index = media::index_file(path, {}, formats_);
    if (index.status == media::FileStatus::kOk) {
      file.entry.sha256 = digest_of(path);
      if (file.entry.sha256.empty()) {
        index.status = media::FileStatus::kUnreadable;
        index.message = "the file vanished while the data set was read";
      }
    }
    file.entry.index = std::make_shared<const media::VideoIndex>(std::move(index));
    const std::lock_guard lock(mutex_);
    changed_ = true;
  }
  validate_samples(file);
}

void FileValidator::validate_samples(const File& file) {
  for (const size_t i : file.items) {
    CheckedSample& checked = samples_[i];
    checked.sample = make_sample(items_[i], file.entry, requirements_.clip);
    checked.sample.number = static_cast<int64_t>(i);
    checked.verdict = validate(checked.sample, requirements_, formats_);
  }
}

int64_t FileValidator::content_bytes() const {
  const config::ClipConfig& clip = requirements_.clip;
  const int64_t frame = clip.resize[0] * clip.resize[1] * 3;
  int64_t bytes = 0;
  for (const CheckedSample& checked : samples_) {
    if (!checked.verdict.usable()) continue;
    bytes += checked.sample.frames * frame + audio_bytes(checked.sample, requirements_.spectrogram);
  }
  return bytes;
}

void FileValidator::decode(ContentCache* cache) {
  runtime::for_each_in_threads(
      static_cast<int64_t>(files_.size()), threads_,
      [&] { return SampleReader(requirements_.clip, requirements_.spectrogram); },
      [&](int64_t i, SampleReader& reader) {
        decode_one(files_[i], reader, cache);
        step();
      });
}

void FileValidator::decode_one(File& file, SampleReader& reader, ContentCache* cache) {
  const auto usable = [&](size_t i) { return samples_[i].verdict.usable(); };
  if (file.entry.index->examined || std::none_of(file.items.begin(), file.items.end(), usable)) {
    return;
  }
  const ManifestEntry& first = items_[file.items.front()];
  const bool whole = file.items.size() == 1 && !first.start && !first.end;
  auto index = std::make_shared<media::VideoIndex>(*file.entry.index);
  std::optional<FileContent> content;
  if (stamp_of(first.path) != file.entry.stamp) {
    index->status = media::FileStatus::kUnreadable;
    index->message = "the file changed or vanished while the data set was read";
  } else if (cache && whole) {
    content = reader.examine_and_read(first.path, *index);
  } else {
    reader.examine(first.path, *index);
  }
  file.entry.index = std::move(index);
  validate_samples(file);
  const size_t only = file.items.front();
  if (content && usable(only)) cache->put(samples_[only].sample, *std::move(content));
  const std::lock_guard lock(mutex_);
  changed_ = true;
}

void FileValidator::step() {
  const std::lock_guard lock(mutex_);
  ++steps_;
  // Each file is visited twice, to be indexed and to be decoded.
  if (progress_) progress_(steps_ / 2, static_cast<int64_t>(files_.size()));
}

IndexEntries FileValidator::entries() const {
  IndexEntries entries;
  for (const File& file : files_) {
    if (!file.entry.index) {  // interrupted before it was looked at
      if (const auto before = known_.find(file.name); before != known_.end()) {
        entries.insert(*before);
      }
      continue;
    }
    const media::FileStatus status = file.entry.index->status;
    if (status == media::FileStatus::kTimeout || status == media::FileStatus::kUnreadable ||
        status == media::FileStatus::kUnsupported) {
      continue;
    }
    entries.emplace(file.name, file.entry);
  }
  return entries;
}

}  // namespace avbench::data
