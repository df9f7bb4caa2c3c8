#include "config/check_input.h"

#include <algorithm>

#include "io/error.h"
#include "io/strings.h"

namespace avbench::config {
namespace {

std::string key(const char* name) { return std::string("protocol.spectrogram.") + name; }

template <class T>
void check_crop(const std::string& section, const T& config, std::vector<KeyProblem>& problems) {
  const int64_t side = std::min(config.resize[0], config.resize[1]);
  if (config.crop <= side) return;
  problems.push_back({section + ".crop", "got " + std::to_string(config.crop) +
                                             ", expected at most " + std::to_string(side) +
                                             ", the smaller side of " + section + ".resize"});
}

// The transform's own bins leave nothing to choose.
void check_linear(const SpectrogramConfig& config, std::vector<KeyProblem>& problems) {
  const int64_t bins = config.n_fft / 2 + 1;
  if (config.bands != bins) {
    problems.push_back({key("bands"), "got " + std::to_string(config.bands) + ", expected " +
                                          std::to_string(bins) + ", the bins of " + key("n_fft") +
                                          " " + std::to_string(config.n_fft) + ", with " +
                                          key("frequency") + " linear; or n_fft " +
                                          std::to_string(2 * config.bands - 1) + " for " +
                                          std::to_string(config.bands) + " bins"});
  }
  if (config.f_min != 0 || 2 * config.f_max != static_cast<double>(config.sample_rate)) {
    problems.push_back(
        {key("f_max"), "expected f_min 0 and f_max half of sample_rate (all bins) with " +
                           key("frequency") + " linear"});
  }
}

void check_spectrogram(const SpectrogramConfig& config, std::vector<KeyProblem>& problems) {
  if (config.f_max > static_cast<double>(config.sample_rate) / 2) {
    problems.push_back({key("f_max"), "expected at most half of " + key("sample_rate") + ", " +
                                          std::to_string(config.sample_rate) + " Hz"});
  }
  if (config.f_min >= config.f_max) {
    problems.push_back({key("f_min"), "expected less than " + key("f_max")});
  }
  if (config.window > config.n_fft) {
    problems.push_back({key("window"), "got " + std::to_string(config.window) +
                                           ", expected at most " + key("n_fft") + ", " +
                                           std::to_string(config.n_fft)});
  }
  if (config.frequency == SpectrogramConfig::Frequency::kLinear) check_linear(config, problems);
}

}  // namespace

std::vector<KeyProblem> input_problems(const ClipConfig& clip,
                                       const SpectrogramConfig& spectrogram) {
  std::vector<KeyProblem> problems;
  check_crop("protocol.clip", clip, problems);
  check_crop("protocol.spectrogram", spectrogram, problems);
  check_spectrogram(spectrogram, problems);
  return problems;
}

void check_input(const ClipConfig& clip, const SpectrogramConfig& spectrogram) {
  std::vector<std::string> lines;
  for (const KeyProblem& problem : input_problems(clip, spectrogram)) {
    lines.push_back(problem.key + ": " + problem.what);
  }
  if (!lines.empty()) throw io::UserError(io::join(lines, "\n"));
}

}  // namespace avbench::config
