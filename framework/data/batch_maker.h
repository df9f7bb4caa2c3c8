// Rows of a batch from the content of files.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "avbench/views.h"
#include "data/batch_buffer.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "data/sample_reader.h"

namespace avbench {

// [first, last) of a batch's rows: neighbours that show the same file.
using RowRange = std::pair<int64_t, int64_t>;

// Shared by all threads; nothing in it changes.
class BatchMaker {
 public:
  BatchMaker(std::shared_ptr<const Dataset> dataset, Split split, Views views);

  // A batch whose views are not filled yet.
  LoadedBatch allocate(std::vector<SampleRequest> requests, BufferPool& pool) const;

  std::vector<RowRange> groups(const std::vector<SampleRequest>& requests) const;

  // Fills the rows of all views, from one open of the file at most.
  void fill(const LoadedBatch& batch, RowRange rows, SampleReader& reader) const;

  SampleReader make_reader() const;

 private:
  struct Source;
  Source read(const Sample& sample, const LoadedBatch& batch, RowRange rows,
              SampleReader& reader) const;

  std::shared_ptr<const Dataset> dataset_;
  Split split_;
  Views video_views_, audio_views_;
};

}  // namespace avbench
