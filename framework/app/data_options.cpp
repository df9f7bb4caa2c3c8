#include "app/data_options.h"

#include "config/reader.h"
#include "config/value.h"
#include "runtime/interrupt.h"
#include "runtime/progress.h"

namespace avbench {

std::shared_ptr<DataOptions> add_data_options(CLI::App& command) {
  auto options = std::make_shared<DataOptions>();
  command.add_option("--config", options->config,
                     "configuration that says what a clip and a spectrogram are; default: the "
                     "keys' defaults");
  command.add_option("--set", options->sets, "override a key: protocol.clip.frames=8")
      ->type_name("KEY=VALUE")
      ->take_all();
  return options;
}

Experiment read_settings(const DataOptions& options) {
  Value root =
      options.config.empty() ? Value{.kind = Value::Kind::kMap} : load_yaml(options.config);
  for (const std::string& assignment : options.sets) set(root, assignment);
  Experiment experiment;
  Problems problems;
  read_section(root, "", experiment, problems);
  problems.throw_if_any();
  return experiment;
}

OpenProgress reading_progress(const std::string& title) {
  install_interrupt_handler();
  return [title, line = std::shared_ptr<Progress>()](int64_t done, int64_t total) mutable {
    check_interrupt(title);
    if (!line) line = std::make_shared<Progress>(title, total);
    line->update(done);
  };
}

}  // namespace avbench
