// A synthetic data set on disk: <folder>/<split>/<class>/<number>.mp4, manifest.csv (which also
// tells what is hidden in each file), and dataset.json (the options, written last).
#pragma once

#include <filesystem>
#include <functional>

#include "io/json.h"
#include "synth/scene.h"

namespace avbench::synth {

// Raised whenever the same options give other bytes.
inline constexpr int kSynthVersion = 1;

enum class SynthOutcome { kRendered, kAlreadyThere };

// Throws UserError on options that cannot be rendered.
void check_synth_options(const SynthOptions& options);

// What dataset.json holds: version, options, names of the classes, number of files.
io::Json describe_synth(const SynthOptions& options);

// Path of a file inside the data set's folder.
std::filesystem::path synth_file(SynthSplit split, int label, int64_t index);

void write_synth_file(const std::filesystem::path& path, const SynthOptions& options,
                      const Scene& scene);

// Renders what is missing. A complete folder of the same options is left alone; one that was begun
// with the same options is completed; any other folder that is not empty is a UserError.
// `progress(done, total)` is called from one thread at a time.
SynthOutcome write_synth_dataset(const std::filesystem::path& folder, const SynthOptions& options,
                                 int threads,
                                 const std::function<void(int64_t, int64_t)>& progress);

}  // namespace avbench::synth
