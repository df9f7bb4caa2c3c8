#include "config/check_experiment.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>

#include "config/check_input.h"
#include "config/varies.h"
#include "io/strings.h"
#include "io/suggest.h"

namespace avbench::config {
namespace {

// Keys that decide which files are tested.
constexpr const char* kSameForAll[] = {"protocol.data.source", "protocol.data.classes",
                                       "protocol.data.on_bad", "protocol.data.on_damage"};

// Checks across keys; each problem is reported where the key was written, else with the file.
class Checker {
 public:
  Checker(const Value& root, const Where& file, Problems& problems)
      : root_(root), file_(file), problems_(problems) {}

  void check(const Experiment& experiment) {
    check_names(experiment);
    check_source("protocol.data.source", experiment.protocol.data.source, true);
    check_source("protocol.data.classes", experiment.protocol.data.classes, false);
    check_protocol(experiment.protocol);
    check_varies(experiment.varies);
    check_training(experiment);
    check_controls(experiment.rows);
    check_shuffling(experiment.protocol,
                    experiment.controls == Experiment::Controls::kShuffledPairs);
    const bool valid = problems_.empty();
    for (size_t i = 0; i < experiment.rows.size(); ++i) {
      check_row(experiment, experiment.rows[i], root_.find("rows")->children[i], valid);
    }
  }

 private:
  void complain(const std::string& key, const std::string& what) {
    if (row_ != nullptr) {
      problems_.add(place_in_row(key), "row '" + row_name_ + "': " + key + ": " + what);
      return;
    }
    const Value* value = find_path(root_, key);
    problems_.add(value == nullptr ? file_ : value->where, key + ": " + what);
  }

  // Where the row says the key, or a section that it came with.
  Where place_in_row(std::string key) const {
    while (true) {
      if (const Value* value = find_path(*row_, key)) return value->where;
      const size_t dot = key.rfind('.');
      if (dot == std::string::npos) return row_->where;
      key.erase(dot);
    }
  }

  void check_protocol(const ProtocolConfig& protocol) {
    check_source("protocol.data.pretrain_source", protocol.data.pretrain_source, false);
    for (const auto& [key, what] : input_problems(protocol.clip, protocol.spectrogram)) {
      complain(key, what);
    }
    check_channels(protocol);
    check_schedule("protocol.finetune.schedule", protocol.finetune.schedule);
    check_shuffling(protocol, protocol.pretrain.pairs == PretrainConfig::Pairs::kShuffled);
  }

  void check_schedule(const std::string& section, const ScheduleConfig& schedule) {
    const auto& milestones = schedule.milestones;
    const bool used = schedule.name == ScheduleConfig::Name::kMilestones;
    if (used && milestones.empty()) {
      complain(section + ".milestones", "got none, expected epochs: the schedule is 'milestones'");
    }
    if (std::adjacent_find(milestones.begin(), milestones.end(), std::greater_equal<>()) !=
        milestones.end()) {
      complain(section + ".milestones", "expected ascending epochs, each once");
    }
  }

  // A row's own key, or what the experiment gives to all rows.
  void check_training(const Experiment& experiment) {
    check_schedule("training.schedule", experiment.training.schedule);
    for (size_t i = 0; i < experiment.rows.size(); ++i) {
      const Value& value = root_.find("rows")->children[i];
      if (find_path(value, "pretrain.schedule") == nullptr) continue;
      row_ = &value;
      row_name_ = experiment.rows[i].name;
      check_schedule("pretrain.schedule", experiment.rows[i].pretrain.schedule);
      row_ = nullptr;
    }
  }

  void check_shuffling(const ProtocolConfig& protocol, bool shuffles) {
    if (!shuffles || protocol.pretrain.batch_size >= 2) return;
    complain("protocol.pretrain.batch_size",
             "got 1, expected at least 2: with pairs 'shuffled' a sample's audio is that of "
             "another one of its batch");
  }

  void check_controls(const std::vector<RowConfig>& rows) {
    std::vector<std::string> names;
    for (const RowConfig& row : rows) names.push_back(row.name);
    for (size_t i = 0; i < rows.size(); ++i) {
      const std::string& of = rows[i].control_of;
      if (of.empty() || std::count(names.begin(), names.end(), of) > 0) continue;
      row_ = &root_.find("rows")->children[i];
      row_name_ = rows[i].name;
      complain("control_of", "no row named '" + of + "'" + io::did_you_mean(of, names) +
                                 "; rows: " + io::join(names));
      row_ = nullptr;
    }
  }

  void check_varies(const std::vector<std::string>& varies) {
    const std::vector<std::string> known = protocol_keys();
    for (const std::string& name : varies) {
      const bool exists = std::any_of(known.begin(), known.end(),
                                      [&](const std::string& key) { return covers({name}, key); });
      if (!exists) {
        complain("varies", "'" + name + "' is no key or section of the protocol" +
                               io::did_you_mean(name, known));
      }
      for (const char* same : kSameForAll) {
        if (!covers({name}, same)) continue;
        complain("varies",
                 "got '" + name + "', but " + same +
                     " decides which files are tested, the same for every row of a table");
      }
    }
  }

  // `repeats_nothing`: the experiment's own protocol is without fault.
  void check_row(const Experiment& experiment, const RowConfig& row, const Value& value,
                 bool repeats_nothing) {
    const std::vector<KeyChange> changes = protocol_changes(experiment.protocol, row.protocol);
    if (changes.empty()) return;
    row_ = &value;
    row_name_ = row.name;
    for (const KeyChange& change : changes) {
      if (covers(experiment.varies, change.key)) continue;
      complain(
          change.key,
          change.from + " -> " + change.to + " differs from the experiment's, and " +
              (experiment.varies.empty() ? "nothing is named by `varies`"
                                         : "`varies` names only " + io::join(experiment.varies)) +
              "; rows of a table differ in nothing else");
    }
    if (repeats_nothing) check_protocol(row.protocol);
    row_ = nullptr;
  }

  void check_names(const Experiment& experiment) {
    if (!is_name(experiment.name, "._-")) {
      complain("name", "got '" + experiment.name +
                           "', expected at most 100 letters, digits, '.', '_' and '-', with no "
                           "dot first: it names a folder");
    } else if (experiment.name == "pretrain" || experiment.name == "runs") {
      complain("name", "'" + experiment.name + "' is a folder of what experiments share: choose " +
                           "another name");
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

  void check_channels(const ProtocolConfig& config) {
    const std::string channels = "protocol.spectrogram.channels";
    if (config.spectrogram.channels == 3) return;
    if (config.encoder.shared) {
      complain(channels,
               "got 1, expected 3: with protocol.encoder.shared frames and "
               "spectrograms enter the same tower");
    }
    if (config.spectrogram.colour != SpectrogramConfig::Colour::kGrey) {
      complain(channels, "got 1, expected 3: protocol.spectrogram.colour is '" +
                             to_word(config.spectrogram.colour) + "'");
    }
  }

  const Value& root_;
  const Where& file_;
  Problems& problems_;
  const Value* row_ = nullptr;  // whose protocol is checked; null: the experiment's
  std::string row_name_;
};

}  // namespace

void check_experiment(const Experiment& experiment, const Value& root, const Where& file,
                      Problems& problems) {
  Checker(root, file, problems).check(experiment);
}

}  // namespace avbench::config
