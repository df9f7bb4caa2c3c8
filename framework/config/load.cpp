#include "config/load.h"

#include <algorithm>
#include <set>

#include "config/reader.h"
#include "io/suggest.h"

namespace avbench {
namespace {

// Checks across keys; each problem is reported where the key was written, else with the file.
class Checker {
 public:
  Checker(const Value& root, const Where& file, Problems& problems)
      : root_(root), file_(file), problems_(problems) {}

  void check(const Experiment& experiment) {
    check_names(experiment);
    check_source("protocol.data.source", experiment.protocol.data.source, true);
    check_source("protocol.data.pretrain_source", experiment.protocol.data.pretrain_source, false);
    check_crop("protocol.clip", experiment.protocol.clip);
    check_crop("protocol.spectrogram", experiment.protocol.spectrogram);
    check_spectrogram(experiment.protocol.spectrogram);
    check_channels(experiment.protocol);
  }

 private:
  void complain(const std::string& key, const std::string& what) {
    const Value* value = find_path(root_, key);
    problems_.add(value == nullptr ? file_ : value->where, key + ": " + what);
  }

  void check_names(const Experiment& experiment) {
    if (!is_name(experiment.name, "._-")) {
      complain("name", "got '" + experiment.name +
                           "', expected at most 100 letters, digits, '.', '_' and '-', with no "
                           "dot first: it names a folder");
    } else if (experiment.name == "pretrain") {
      complain("name", "'pretrain' is the folder of shared pretraining: choose another name");
    }
    const std::set<int64_t> seeds(experiment.seeds.begin(), experiment.seeds.end());
    if (seeds.empty()) complain("seeds", "got an empty list, expected at least one seed");
    if (seeds.size() != experiment.seeds.size()) complain("seeds", "a seed is given twice");
    if (experiment.rows.empty()) complain("rows", "expected at least one row to compare");
  }

  void check_source(const std::string& key, const std::string& source, bool required) {
    if (source.empty()) {
      if (required) complain(key, "expected a folder <split>/<class>/<file> or a CSV manifest");
      return;
    }
    std::error_code unreadable;
    if (std::filesystem::exists(source, unreadable)) return;
    complain(key, "'" + source + "' does not exist (seen from " +
                      std::filesystem::current_path().string() + ")");
  }

  template <class T>
  void check_crop(const std::string& section, const T& config) {
    const int64_t side = std::min(config.resize[0], config.resize[1]);
    if (config.crop <= side) return;
    complain(section + ".crop", "got " + std::to_string(config.crop) + ", expected at most " +
                                    std::to_string(side) + ", the smaller side of " + section +
                                    ".resize");
  }

  void check_spectrogram(const SpectrogramConfig& config) {
    const std::string section = "protocol.spectrogram.";
    if (config.f_max > static_cast<double>(config.sample_rate) / 2) {
      complain(section + "f_max", "expected at most half of " + section + "sample_rate, " +
                                      std::to_string(config.sample_rate) + " Hz");
    }
    if (config.f_min >= config.f_max) {
      complain(section + "f_min", "expected less than " + section + "f_max");
    }
    if (config.window > config.n_fft) {
      complain(section + "window", "got " + std::to_string(config.window) + ", expected at most " +
                                       section + "n_fft, " + std::to_string(config.n_fft));
    }
    if (config.frequency == "linear") check_linear(config);
  }

  // The transform's own bins leave nothing to choose.
  void check_linear(const SpectrogramConfig& config) {
    const std::string section = "protocol.spectrogram.";
    const int64_t bins = config.n_fft / 2 + 1;
    if (config.bands != bins) {
      complain(section + "bands", "got " + std::to_string(config.bands) + ", expected " +
                                      std::to_string(bins) + ", the bins of " + section + "n_fft " +
                                      std::to_string(config.n_fft) + ", with " + section +
                                      "frequency linear; or n_fft " +
                                      std::to_string(2 * config.bands - 1) + " for " +
                                      std::to_string(config.bands) + " bins");
    }
    if (config.f_min != 0 || 2 * config.f_max != static_cast<double>(config.sample_rate)) {
      complain(section + "f_max",
               "expected f_min 0 and f_max half of sample_rate (all bins) with " + section +
                   "frequency linear");
    }
  }

  void check_channels(const ProtocolConfig& config) {
    const std::string channels = "protocol.spectrogram.channels";
    if (config.spectrogram.channels == 3) return;
    if (config.encoder.shared) {
      complain(channels,
               "got 1, expected 3: with protocol.encoder.shared pictures and "
               "spectrograms enter the same tower");
    }
    if (config.spectrogram.colour != "grey") {
      complain(channels, "got 1, expected 3: protocol.spectrogram.colour is '" +
                             config.spectrogram.colour + "'");
    }
  }

  const Value& root_;
  const Where& file_;
  Problems& problems_;
};

}  // namespace

Experiment load_experiment(const std::filesystem::path& path,
                           const std::vector<std::string>& sets) {
  Value root = load_yaml(path);
  for (const std::string& assignment : sets) set(root, assignment);
  Problems problems;
  Experiment experiment;
  read_section(root, "", experiment, problems);
  Checker(root, path.string(), problems).check(experiment);
  problems.throw_if_any();
  return experiment;
}

}  // namespace avbench
