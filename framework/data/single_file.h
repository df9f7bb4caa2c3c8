// What the networks would see of one file that belongs to no data set.
#pragma once

#include <filesystem>
#include <optional>

#include "avbench/batch.h"
#include "avbench/views.h"
#include "config/clip_config.h"
#include "config/spectrogram_config.h"
#include "data/sample_reader.h"
#include "data/sample_validator.h"
#include "data/sampling.h"

namespace avbench::data {

struct FilePart {
  std::filesystem::path path;
  std::optional<double> start = {}, end = {};  // seconds after the first frame; open if absent
};

// Throws UserError, with status and reason, if the file or this part of it cannot be used.
Sample open_file(const FilePart& part, const Requirements& requirements);

// A batch of one row, made by the loader's own code.
Batch view_file(const Sample& sample, const SampleRequest& request, const Views& views,
                const config::ClipConfig& clip, const config::SpectrogramConfig& spectrogram);

}  // namespace avbench::data
