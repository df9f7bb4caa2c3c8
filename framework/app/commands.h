// The commands, one file each. Every function adds a subcommand with its options and what it does.
#pragma once

#include <CLI/CLI.hpp>

namespace avbench::app {

void add_methods_command(CLI::App& app);
void add_describe_command(CLI::App& app);
void add_loss_command(CLI::App& app);
void add_check_command(CLI::App& app);
void add_dataset_synth_command(CLI::App& dataset);
void add_dataset_index_command(CLI::App& dataset);
void add_sample_command(CLI::App& app);
void add_pretrain_command(CLI::App& app);
void add_finetune_command(CLI::App& app);
void add_test_command(CLI::App& app);
void add_compare_command(CLI::App& app);
void add_diff_command(CLI::App& app);
void add_embed_command(CLI::App& app);
void add_bench_loader_command(CLI::App& bench);
void add_bench_step_command(CLI::App& bench);
void add_bench_loss_command(CLI::App& bench);
void add_bench_compare_command(CLI::App& bench);
void add_bench_all_command(CLI::App& bench);
void add_new_method_command(CLI::App& app);
void add_doctor_command(CLI::App& app);
void add_completion_command(CLI::App& app);

}  // namespace avbench::app
