// What the networks would see of one file that belongs to no data set.
#pragma once

#include <filesystem>

#include "avbench/batch.h"
#include "avbench/views.h"
#include "config/experiment.h"
#include "data/sample_check.h"
#include "data/sample_reader.h"
#include "data/sampling.h"

namespace avbench {

// Throws UserError, with status and reason, if the file cannot be used.
Sample open_file(const std::filesystem::path& path, const Requirements& requirements);

// A batch of one row, made by the loader's own code.
Batch view_file(const Sample& sample, const SampleRequest& request, const Views& views,
                const ClipConfig& clip, const SpectrogramConfig& spectrogram);

}  // namespace avbench
