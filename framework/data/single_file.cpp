#include "data/single_file.h"

#include <fmt/format.h>

#include "config/check_input.h"
#include "data/collator.h"
#include "data/file_validator.h"
#include "io/error.h"

namespace avbench::data {

Sample open_file(const FilePart& part, const Requirements& requirements) {
  const auto& [path, start, end] = part;
  if (end && *end <= start.value_or(0)) {
    throw io::UserError(fmt::format("{}: the part's end, {} s, is not after its start, {} s",
                                    path.string(), *end, start.value_or(0)));
  }
  config::check_input(requirements.clip, requirements.spectrogram);
  const std::vector<ManifestEntry> items{
      {.id = path.string(), .file = path.string(), .path = path, .start = start, .end = end}};
  const IndexEntries nothing_known;
  FileValidator validator(items, nothing_known, requirements, 1, {});
  validator.index();
  validator.decode(nullptr);
  const auto& [sample, verdict] = validator.samples().front();
  if (!verdict.usable()) {
    throw io::UserError(fmt::format("{}: {} ({}); expected a file with {} video frames, and audio.",
                                    path.string(), to_string(verdict.status), verdict.message,
                                    clip_span(requirements.clip)));
  }
  return sample;
}

Batch view_file(const Sample& sample, const SampleRequest& request, const Views& views,
                const config::ClipConfig& clip, const config::SpectrogramConfig& spectrogram) {
  const Collator collator(clip, spectrogram, nullptr, views);
  const LoadedBatch batch = collator.allocate({request}, *std::make_shared<BufferPool>());
  SampleReader reader = collator.make_reader();
  collator.fill(batch, {0, 1}, sample, reader);
  return batch.batch;
}

}  // namespace avbench::data
