// avbench new-method NAME DIR: a plugin project of its own, made from the example.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "io/atomic_file.h"
#include "io/error.h"
#include "io/strings.h"
#include "method_template.h"
#include "plugin/registry.h"

namespace avbench::app {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr size_t kLongestName = 64;

struct Options {
  std::string name, folder;
  bool json = false;
};

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }
bool is_name_character(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; }

// The nearest name of the right form: "My-Loss" -> "my_loss".
std::string repaired(const std::string& name) {
  std::string result;
  for (const char c : name) {
    const char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const bool first = result.empty();
    if (first ? is_letter(lower) : is_name_character(lower)) {
      result += lower;
    } else if (!first && result.back() != '_') {
      result += '_';
    }
  }
  while (result.ends_with('_')) result.pop_back();
  return result.substr(0, kLongestName);
}

void check_form(const std::string& name) {
  const bool good = !name.empty() && name.size() <= kLongestName && is_letter(name.front()) &&
                    std::all_of(name.begin(), name.end(), is_name_character);
  if (good && name != "null") return;  // YAML reads null as nothing
  const std::string better = repaired(name);
  throw io::UserError(fmt::format(
      "NAME: got '{}', expected a letter, then lower-case letters, digits and '_', at most {} in "
      "all, and not 'null'{}",
      name, kLongestName,
      better.empty() || better == "null" ? "" : fmt::format(", such as '{}'", better)));
}

void check_new(const std::string& name) {
  const plugin::PluginRegistry registry = plugin::PluginRegistry::discover();
  for (const plugin::LoadedPlugin& plugin : registry.plugins()) {
    if (plugin.record->name != name) continue;
    throw io::UserError(fmt::format(
        "NAME: there is a method '{}' already: {}. Two of one name cannot be told apart in a "
        "configuration; `avbench methods` lists the names that are taken",
        name, plugin.file.string()));
  }
}

// Makes the folder if it is not there.
void prepare_folder(const fs::path& folder) try {
  const char* expected = "expected a new or an empty folder: nothing is overwritten";
  if (folder.empty()) throw io::UserError(fmt::format("DIR: got '', {}", expected));
  fs::create_directories(folder);
  if (!fs::is_empty(folder)) {
    throw io::UserError(fmt::format("{}: is not empty, {}", folder.string(), expected));
  }
} catch (const fs::filesystem_error& error) {
  throw io::UserError(fmt::format("{}: cannot be made: {}; expected a new or an empty folder",
                                  folder.string(), error.code().message()));
}

std::string replaced(std::string text, const std::string& old, const std::string& by) {
  for (size_t at = text.find(old); at != std::string::npos; at = text.find(old, at + by.size())) {
    text.replace(at, old.size(), by);
  }
  return text;
}

// "my_loss" -> "MyLossMethod"; the ending keeps it apart from the SDK's names.
std::string class_name(const std::string& name) {
  std::string result;
  for (const std::string& word : io::split(name, '_')) {
    if (word.empty()) continue;
    result += static_cast<char>(std::toupper(static_cast<unsigned char>(word.front())));
    result += word.substr(1);
  }
  return result + "Method";
}

std::vector<std::string> write_project(const std::string& name, const fs::path& folder) {
  const auto renamed = [&](const char* text) {
    return replaced(replaced(text, class_name(kTemplateMethod), class_name(name)), kTemplateMethod,
                    name);
  };
  std::vector<std::string> files;
  for (const TemplateFile& file : kMethodTemplate) {
    files.push_back(renamed(file.name));
    io::write_file_atomically(folder / files.back(), renamed(file.text));
  }
  return files;
}

std::string quoted(const std::string& word) {
  const bool plain = std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("/._-+").find(c) != std::string_view::npos;
  });
  return plain && !word.empty() ? word : "'" + replaced(word, "'", "'\\''") + "'";
}

// Where this program is installed; empty if it is not.
fs::path install_prefix() {
  const fs::path prefix = fs::read_symlink("/proc/self/exe").parent_path().parent_path();
  return fs::exists(prefix / "lib/cmake/avbench/avbench-config.cmake") ? prefix : fs::path();
}

std::vector<std::string> next_commands(const Options& options, const fs::path& prefix) {
  const std::string package = prefix.empty() ? "PREFIX" : quoted(prefix.string());
  return {"cd " + quoted(options.folder),
          "cmake -G Ninja -B build -DCMAKE_PREFIX_PATH=" + package,
          "cmake --build build",
          "ctest --test-dir build --output-on-failure",
          "export AVBENCH_PLUGIN_PATH=$PWD/build",
          "avbench dataset synth data --train 800 --val 160 --test 160",
          "avbench compare " + options.name + ".yaml"};
}

void print_text(const Options& options, const std::vector<std::string>& files) {
  fmt::print("{}: {}\n\nNext:\n", options.folder, io::join(files));
  const fs::path prefix = install_prefix();
  for (const std::string& command : next_commands(options, prefix)) fmt::print("  {}\n", command);
  if (prefix.empty()) {
    fmt::print(
        "\nPREFIX: where avbench is installed. This program is not:\n"
        "  cmake --install build/release --prefix PREFIX    # in avbench's own folder\n");
  }
  fmt::print("\nThen replace the loss in {}.cpp; README.md says how.\n", options.name);
}

void run(const Options& options) {
  check_form(options.name);
  check_new(options.name);
  prepare_folder(options.folder);
  const std::vector<std::string> files = write_project(options.name, options.folder);
  if (!options.json) return print_text(options, files);
  const Json result = {{"name", options.name},
                       {"folder", options.folder},
                       {"files", files},
                       {"next", next_commands(options, install_prefix())}};
  fmt::print("{}\n", result.dump(2));
}

}  // namespace

void add_new_method_command(CLI::App& app) {
  auto* command = app.add_subcommand(
      "new-method", "Write a plugin project, ready to build, test and compare, outside avbench");
  const auto options = std::make_shared<Options>();
  command->add_option("NAME", options->name, "the new method's")->required();
  command->add_option("DIR", options->folder, "where to; new or empty")->required();
  command->add_flag("--json", options->json, "print the result as JSON");
  command->callback([options] { run(*options); });
}

}  // namespace avbench::app
