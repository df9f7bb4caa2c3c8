// Rows of a batch from the content of files.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "avbench/views.h"
#include "data/batch_buffer.h"
#include "data/content_cache.h"
#include "data/loaded_batch.h"
#include "data/sample_reader.h"

namespace avbench::data {

// [first, last) of a batch's rows.
using RowRange = std::pair<int64_t, int64_t>;

// Shared by all threads; nothing in it changes.
class Collator {
 public:
  // `cache` may be null. Throws UserError if a view of a modality is named twice.
  Collator(const config::ClipConfig& clip, const config::SpectrogramConfig& spectrogram,
           ContentCache* cache, const Views& views);

  // A batch whose views are not filled yet, and without labels.
  LoadedBatch allocate(std::vector<SampleRequest> requests, BufferPool& pool) const;

  // Fills `rows`, which all show `sample`, of all views from one open of the file at most.
  void fill(const LoadedBatch& batch, RowRange rows, const Sample& sample,
            SampleReader& reader) const;

  SampleReader make_reader() const { return SampleReader(clip_, spectrogram_); }

 private:
  // Where frames and spectrogram lie: all of the file, or just the wanted clips side by side, in
  // the order of `starts`.
  struct Source {
    std::shared_ptr<const FileContent> content;
    std::vector<int64_t> starts;
    bool whole = false;
  };

  ClipPlace place(const LoadedBatch& batch, int64_t row, const ViewSpec& view,
                  const Sample& sample) const;
  Source read(const LoadedBatch& batch, RowRange rows, const Sample& sample,
              SampleReader& reader) const;
  void fill_video(const LoadedBatch& batch, RowRange rows, const Sample& sample,
                  const Source& source) const;
  void augment(const SampleRequest& request, const ViewSpec& view, const ClipPlace& place,
               float* clip) const;
  void fill_audio(const LoadedBatch& batch, RowRange rows, const Sample& sample,
                  const Source& source, SampleReader& reader) const;

  config::ClipConfig clip_;
  config::SpectrogramConfig spectrogram_;
  ContentCache* cache_;
  Views video_views_, audio_views_;
};

// Neighbours with the same index: served from one open of the file.
std::vector<RowRange> group_rows(const std::vector<SampleRequest>& requests);

}  // namespace avbench::data
