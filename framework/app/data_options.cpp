#include "app/data_options.h"

#include "config/reader.h"
#include "config/value.h"
#include "runtime/interrupt.h"
#include "runtime/progress.h"

namespace avbench::app {

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

config::Experiment read_settings(const DataOptions& options) {
  config::Value root = options.config.empty() ? config::Value{.kind = config::Value::Kind::kMap}
                                              : config::load_yaml(options.config);
  for (const std::string& assignment : options.sets) config::set(root, assignment);
  config::Experiment experiment;
  config::Problems problems;
  config::read_section(root, "", experiment, problems);
  problems.throw_if_any();
  return experiment;
}

data::OpenProgress reading_progress(const std::string& title) {
  runtime::install_interrupt_handler();
  return [title, line = std::shared_ptr<runtime::Progress>()](int64_t done, int64_t total) mutable {
    runtime::check_interrupt(title);
    if (!line) line = std::make_shared<runtime::Progress>(title, total);
    line->update(done);
  };
}

}  // namespace avbench::app
