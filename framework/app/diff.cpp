// avbench diff RUN_A RUN_B: in which keys two runs differ, and where their metrics part.
#include <fmt/format.h>

#include <memory>
#include <string>

#include "app/commands.h"
#include "experiment/run_diff.h"

namespace avbench::app {

void add_diff_command(CLI::App& app) {
  struct Arguments {
    std::string a, b;
    bool json = false;
  };
  auto* command = app.add_subcommand(
      "diff", "Show in which keys two runs differ, and the first step at which they diverge");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("RUN_A", arguments->a, "folder <results>/<experiment>/<row>-s<seed>")
      ->required();
  command->add_option("RUN_B", arguments->b, "another one")->required();
  command->add_flag("--json", arguments->json, "print JSON");
  command->callback([arguments] {
    const experiment::RunDiff diff = experiment::diff_runs(arguments->a, arguments->b);
    fmt::print("{}", arguments->json ? experiment::diff_json(diff).dump(2) + "\n"
                                     : experiment::diff_text(diff));
  });
}

}  // namespace avbench::app
