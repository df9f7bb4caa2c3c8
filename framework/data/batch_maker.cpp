#include "data/batch_maker.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string>

#include "data/pixels.h"
#include "io/error.h"

namespace avbench {
namespace {

Views of_modality(const Views& views, Modality modality) {
  Views chosen;
  std::set<std::string> names;
  for (const ViewSpec& view : views) {
    if (view.modality != modality) continue;
    if (!names.insert(view.name).second) {
      throw UserError(fmt::format("the {} view '{}' is asked for twice",
                                  modality == Modality::kVideo ? "video" : "audio", view.name));
    }
    chosen.push_back(view);
  }
  return chosen;
}

// First float of a row of a contiguous (channels_last_3d) tensor.
float* row_of(const Tensor& tensor, int64_t row) {
  return tensor.data_ptr<float>() + row * tensor.stride(0);
}

}  // namespace

// Where a group's frames and spectrogram lie: all of the file, or just its clips side by side.
struct BatchMaker::Source {
  std::shared_ptr<const FileContent> content;
  bool whole = false;
};

BatchMaker::BatchMaker(std::shared_ptr<const Dataset> dataset, Split split, Views views)
    : dataset_(std::move(dataset)),
      split_(split),
      video_views_(of_modality(views, Modality::kVideo)),
      audio_views_(of_modality(views, Modality::kAudio)) {}

SampleReader BatchMaker::make_reader() const {
  return SampleReader(dataset_->clip(), dataset_->spectrogram());
}

LoadedBatch BatchMaker::allocate(std::vector<SampleRequest> requests, BufferPool& pool) const {
  const auto rows = static_cast<int64_t>(requests.size());
  const ClipConfig& clip = dataset_->clip();
  const SpectrogramConfig& spectrogram = dataset_->spectrogram();
  LoadedBatch result;
  for (const ViewSpec& view : video_views_) {
    result.batch.video[view.name] = pool.batch_tensor(rows, clip.frames, clip.crop);
  }
  const int64_t repeats = spectrogram.time == "repeat" ? clip.frames : 1;
  for (const ViewSpec& view : audio_views_) {
    result.batch.audio[view.name] = pool.batch_tensor(rows, repeats, spectrogram.crop);
  }
  result.batch.index = at::empty({rows}, at::kLong);
  result.labels = at::empty({rows}, at::kLong);
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t index = requests[row].index;
    result.batch.index.data_ptr<int64_t>()[row] = index;
    result.labels.data_ptr<int64_t>()[row] = dataset_->sample(split_, index).label;
  }
  result.requests = std::move(requests);
  return result;
}

std::vector<RowRange> BatchMaker::groups(const std::vector<SampleRequest>& requests) const {
  std::vector<RowRange> groups;
  const auto rows = static_cast<int64_t>(requests.size());
  for (int64_t row = 0; row < rows; ++row) {
    if (row > 0 && requests[row].index == requests[row - 1].index) {
      ++groups.back().second;
    } else {
      groups.emplace_back(row, row + 1);
    }
  }
  return groups;
}

BatchMaker::Source BatchMaker::read(const Sample& sample, const LoadedBatch& batch, RowRange rows,
                                    SampleReader& reader) const {
  if (ContentCache* cache = dataset_->cache()) return {cache->get(sample, reader), true};
  std::vector<int64_t> starts;
  for (const ViewSpec& view : video_views_) {
    for (int64_t row = rows.first; row < rows.second; ++row) {
      starts.push_back(
          place_clip(batch.requests[row], view, sample.frames, dataset_->clip()).start);
    }
  }
  return {std::make_shared<FileContent>(reader.read_clips(sample, starts, !audio_views_.empty())),
          false};
}

void BatchMaker::fill(const LoadedBatch& batch, RowRange rows, SampleReader& reader) const {
  const Sample& sample = dataset_->sample(split_, batch.requests[rows.first].index);
  const Source source = read(sample, batch, rows, reader);
  const ClipConfig& clip = dataset_->clip();
  const int64_t frame_in = clip.resize[0] * clip.resize[1] * 3;
  const int64_t frame_out = clip.crop * clip.crop * 3;
  int64_t clip_number = 0;
  for (const ViewSpec& view : video_views_) {
    for (int64_t row = rows.first; row < rows.second; ++row, ++clip_number) {
      const auto [start, crop] = place_clip(batch.requests[row], view, sample.frames, clip);
      const int64_t first = source.whole ? start : clip_number * clip.frames;
      const int64_t step = source.whole ? clip.stride : 1;
      float* out = row_of(batch.batch.video.at(view.name), row);
      for (int64_t t = 0; t < clip.frames; ++t) {
        const uint8_t* frame = source.content->frames.data() + (first + t * step) * frame_in;
        copy_frame(frame, clip.resize[1], crop, clip.crop, out + t * frame_out);
      }
    }
  }
  const SpectrogramConfig& spectrogram = dataset_->spectrogram();
  const int64_t plane_out = spectrogram.crop * spectrogram.crop * 3;
  for (const ViewSpec& view : audio_views_) {
    const Tensor& tensor = batch.batch.audio.at(view.name);
    for (int64_t row = rows.first; row < rows.second; ++row) {
      float* out = row_of(tensor, row);
      copy_plane(source.content->spectrogram.data(), spectrogram.resize[1],
                 place_spectrogram(batch.requests[row], view, spectrogram), spectrogram.crop, out);
      for (int64_t t = 1; t < tensor.size(2); ++t) {
        std::memcpy(out + t * plane_out, out, plane_out * sizeof(float));
      }
    }
  }
}

}  // namespace avbench
