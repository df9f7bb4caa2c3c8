#include "data/single_file.h"

#include <fmt/format.h>

#include "data/batch_maker.h"
#include "data/file_check.h"
#include "io/error.h"

namespace avbench {

Sample open_file(const std::filesystem::path& path, const Requirements& requirements) {
  check_crops(requirements.clip, requirements.spectrogram);
  const std::vector<Item> items{{.id = path.string(), .file = path.string(), .path = path}};
  const IndexEntries nothing_known;
  FileChecker checker(items, nothing_known, requirements, 1, {});
  checker.index();
  checker.decode(nullptr);
  const auto& [sample, verdict] = checker.samples().front();
  if (!verdict.usable()) {
    throw UserError(fmt::format(
        "{}: {} ({}); expected a file with {} frames of picture, and sound.", path.string(),
        to_string(verdict.status), verdict.message, clip_span(requirements.clip)));
  }
  return sample;
}

Batch view_file(const Sample& sample, const SampleRequest& request, const Views& views,
                const ClipConfig& clip, const SpectrogramConfig& spectrogram) {
  const BatchMaker maker(clip, spectrogram, nullptr, views);
  const LoadedBatch batch = maker.allocate({request}, *std::make_shared<BufferPool>());
  SampleReader reader = maker.make_reader();
  maker.fill(batch, {0, 1}, sample, reader);
  return batch.batch;
}

}  // namespace avbench
