// avbench: the command line. Errors are caught here and nowhere else.
#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>

#include "app/commands.h"
#include "io/allocator.h"
#include "io/error.h"
#include "io/strings.h"
#include "io/suggest.h"
#include "runtime/interrupt.h"
#include "runtime/trace.h"

namespace {

enum ExitCode { kDone = 0, kFailed = 1, kUserError = 2, kInterrupted = 130 };

void add_commands(CLI::App& app) {
  using namespace avbench;
  app::add_methods_command(app);
  app::add_describe_command(app);
  app::add_loss_command(app);
  app::add_check_command(app);
  CLI::App* dataset = app.add_subcommand("dataset", "Make and examine data sets");
  dataset->require_subcommand(1);
  app::add_dataset_synth_command(*dataset);
  app::add_dataset_index_command(*dataset);
  app::add_sample_command(app);
  app::add_pretrain_command(app);
  app::add_finetune_command(app);
  app::add_test_command(app);
  app::add_compare_command(app);
  app::add_diff_command(app);
  app::add_embed_command(app);
  CLI::App* bench = app.add_subcommand("bench", "Measure throughput on this machine");
  bench->require_subcommand(1);
  app::add_bench_loader_command(*bench);
  app::add_bench_step_command(*bench);
  app::add_bench_loss_command(*bench);
  app::add_bench_compare_command(*bench);
  app::add_bench_all_command(*bench);
  app::add_new_method_command(app);
  app::add_doctor_command(app);
  app::add_completion_command(app);
}

// The first argument that is not an option, if it names no subcommand, is probably a misspelt one.
std::string suggestion(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> known;
  for (const CLI::App* sub : app.get_subcommands({})) known.push_back(sub->get_name());
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with("-")) continue;
    return avbench::io::did_you_mean(word, known) + "; commands: " + avbench::io::join(known);
  }
  return "";
}

int user_error(const std::string& message) {
  fmt::print(stderr, "avbench: error: {}\n", message);
  return kUserError;
}

int run(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);  // runs the command
    avbench::runtime::finish_trace();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    const bool unknown_command = app.get_subcommands().empty();
    return user_error(error.what() + (unknown_command ? suggestion(app, argc, argv) : "") +
                      "\nRun `avbench --help` or `avbench COMMAND --help`.");
  } catch (const avbench::io::UserError& error) {
    return user_error(error.what());
  } catch (const avbench::runtime::Interrupted& stop) {
    fmt::print(stderr, "avbench: {}\n", stop.what());
    return kInterrupted;
  } catch (const std::exception& error) {
    fmt::print(stderr, "avbench: failed: {}\n", error.what());
    return kFailed;
  }
  return kDone;
}

// Also after a command that failed or was interrupted.
void end_trace() {
  try {
    avbench::runtime::finish_trace();
  } catch (const std::exception& error) {
    fmt::print(stderr, "avbench: {}\n", error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  avbench::io::keep_freed_memory();
  spdlog::set_default_logger(spdlog::stderr_color_mt("avbench"));
  spdlog::set_pattern("%^%l%$: %v");
  avbench::runtime::name_trace_thread("main");
  CLI::App app{"avbench compares self-supervised audio-visual methods under one protocol.",
               "avbench"};
  app.set_version_flag("--version", "avbench " AVBENCH_VERSION);
  app.require_subcommand(1);
  add_commands(app);
  const int code = run(app, argc, argv);
  end_trace();
  return code;
}
