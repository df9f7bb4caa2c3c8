#include "data/collator.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "data/pixels.h"
#include "io/error.h"

namespace avbench::data {
namespace {

Views of_modality(const Views& views, Modality modality) {
  Views chosen;
  std::set<std::string> names;
  for (const ViewSpec& view : views) {
    if (view.modality != modality) continue;
    if (!names.insert(view.name).second) {
      throw io::UserError(fmt::format("the {} view '{}' is asked for twice",
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

Collator::Collator(const config::ClipConfig& clip, const config::SpectrogramConfig& spectrogram,
                   ContentCache* cache, const Views& views)
    : clip_(clip),
      spectrogram_(spectrogram),
      cache_(cache),
      video_views_(of_modality(views, Modality::kVideo)),
      audio_views_(of_modality(views, Modality::kAudio)) {}

LoadedBatch Collator::allocate(std::vector<SampleRequest> requests, BufferPool& pool) const {
  const auto rows = static_cast<int64_t>(requests.size());
  LoadedBatch result;
  for (const ViewSpec& view : video_views_) {
    result.batch.video[view.name] = pool.batch_tensor(rows, 3, clip_.frames, clip_.crop);
  }
  const int64_t repeats =
      spectrogram_.time == config::SpectrogramConfig::Time::kRepeat ? clip_.frames : 1;
  for (const ViewSpec& view : audio_views_) {
    result.batch.audio[view.name] =
        pool.batch_tensor(rows, spectrogram_.channels, repeats, spectrogram_.crop);
  }
  result.batch.index = at::empty({rows}, at::kLong);
  for (int64_t row = 0; row < rows; ++row) {
    result.batch.index.data_ptr<int64_t>()[row] = requests[row].index;
  }
  result.requests = std::move(requests);
  return result;
}

void Collator::fill(const LoadedBatch& batch, RowRange rows, const Sample& sample,
                    SampleReader& reader) const {
  const Source source = read(batch, rows, sample, reader);
  fill_video(batch, rows, sample, source);
  fill_audio(batch, rows, sample, source, reader);
}

ClipPlace Collator::place(const LoadedBatch& batch, int64_t row, const ViewSpec& view,
                          const Sample& sample) const {
  return place_clip(batch.requests[row], view, sample.frames, clip_, sample.starts);
}

// Crops of one clip share its frames.
Collator::Source Collator::read(const LoadedBatch& batch, RowRange rows, const Sample& sample,
                                SampleReader& reader) const {
  if (cache_) return {cache_->get(sample, reader), {}, true};
  std::set<int64_t> wanted;
  for (const ViewSpec& view : video_views_) {
    for (int64_t row = rows.first; row < rows.second; ++row) {
      wanted.insert(place(batch, row, view, sample).start);
    }
  }
  const std::vector<int64_t> starts(wanted.begin(), wanted.end());
  return {std::make_shared<FileContent>(reader.read_clips(sample, starts, !audio_views_.empty())),
          starts, false};
}

void Collator::fill_video(const LoadedBatch& batch, RowRange rows, const Sample& sample,
                          const Source& source) const {
  const int64_t frame_in = clip_.resize[0] * clip_.resize[1] * 3;
  const int64_t frame_out = clip_.crop * clip_.crop * 3;
  const auto first_frame = [&](int64_t start) {
    if (source.whole) return start;
    const auto found = std::lower_bound(source.starts.begin(), source.starts.end(), start);
    return (found - source.starts.begin()) * clip_.frames;
  };
  const int64_t step = source.whole ? clip_.stride : 1;
  for (const ViewSpec& view : video_views_) {
    for (int64_t row = rows.first; row < rows.second; ++row) {
      const ClipPlace place = this->place(batch, row, view, sample);
      const int64_t first = first_frame(place.start);
      float* out = row_of(batch.batch.video.at(view.name), row);
      for (int64_t t = 0; t < clip_.frames; ++t) {
        const uint8_t* frame = source.content->frames.data() + (first + t * step) * frame_in;
        copy_frame(frame, clip_.resize[1], place.crop, clip_.crop, out + t * frame_out);
      }
      augment(batch.requests[row], view, place, out);
    }
  }
}

void Collator::augment(const SampleRequest& request, const ViewSpec& view, const ClipPlace& place,
                       float* clip) const {
  const int64_t pixels = clip_.crop * clip_.crop;
  const auto jitter = draw_jitter(request, view, clip_.jitter);
  for (int64_t t = 0; t < clip_.frames; ++t) {
    float* frame = clip + t * pixels * 3;
    if (place.mirrored) mirror_frame(clip_.crop, frame);
    if (jitter) recolour(*jitter, {frame, static_cast<size_t>(pixels * 3)});
  }
  if (clip_.mean != config::ClipConfig{}.mean || clip_.std != config::ClipConfig{}.std) {
    normalise(clip_.frames * pixels, clip_.mean, clip_.std, clip);
  }
}

void Collator::fill_audio(const LoadedBatch& batch, RowRange rows, const Sample& sample,
                          const Source& source, SampleReader& reader) const {
  const bool around_clip = spectrogram_.audio == config::SpectrogramConfig::Audio::kClip;
  std::vector<float> own;  // of a row, where each clip has its own
  const int64_t channels = spectrogram_.channels, planes = image_planes(spectrogram_);
  const int64_t frame = spectrogram_.crop * spectrogram_.crop * channels;
  const int64_t plane = spectrogram_.resize[0] * spectrogram_.resize[1];
  for (const ViewSpec& view : audio_views_) {
    const Tensor& tensor = batch.batch.audio.at(view.name);
    for (int64_t row = rows.first; row < rows.second; ++row) {
      float* out = row_of(tensor, row);
      const Crop crop = place_spectrogram(batch.requests[row], view, spectrogram_);
      if (around_clip) {
        own = reader.spectrogram_at(sample, *source.content, place(batch, row, view, sample).start);
      }
      const std::vector<float>& image = around_clip ? own : source.content->spectrogram;
      for (int64_t channel = 0; channel < channels; ++channel) {
        const float* in = image.data() + channel % planes * plane;
        copy_plane(in, spectrogram_.resize[1], crop, spectrogram_.crop, channels, out + channel);
      }
      for (int64_t t = 1; t < tensor.size(2); ++t) std::copy_n(out, frame, out + t * frame);
    }
  }
}

std::vector<RowRange> group_rows(const std::vector<SampleRequest>& requests) {
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

}  // namespace avbench::data
