// avbench doctor: what this machine and installation offer, what is missing and how to get it.
#include <ATen/Context.h>
#include <ATen/Version.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/sysinfo.h>
#include <torch/version.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/kernel_report.h"
#include "data/index_cache.h"
#include "device/cuda.h"
#include "io/processors.h"
#include "io/strings.h"
#include "kernels/switch.h"
#include "kernels/tile_product.h"
#include "media/capabilities.h"
#include "media/formats.h"
#include "plugin/registry.h"

namespace avbench::app {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// kNote: works, but something is worth knowing. kMissing: some command will fail.
enum class Status { kOk, kNote, kMissing };

struct Diagnosis {
  std::string name, value;
  Status status = Status::kOk;
  std::string advice = {};
};

const char* status_name(Status status) {
  constexpr const char* kNames[] = {"ok", "note", "missing"};
  return kNames[static_cast<int>(status)];
}

std::string cpu_features() {
  std::vector<std::string> features;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) features.emplace_back("AVX2");
  if (__builtin_cpu_supports("fma")) features.emplace_back("FMA");
  if (__builtin_cpu_supports("avx512f")) features.emplace_back("AVX-512");
  if (__builtin_cpu_supports("avx512bf16")) features.emplace_back("AVX-512 BF16");
#endif
  return features.empty() ? "none that LibTorch's kernels are specialised for" : io::join(features);
}

// Whose threads LibTorch runs on.
std::string openmp_runtime() {
  Dl_info info{};
  void* function = ::dlsym(RTLD_DEFAULT, "GOMP_parallel");
  if (function == nullptr || ::dladdr(function, &info) == 0) return "none";
  return std::filesystem::path(info.dli_fname).filename().string();
}

Diagnosis own_kernels() {
  return {"own kernels", kernels::enabled() ? std::string("on, ") + kernels::instruction_set()
                                            : std::string("off (AVBENCH_KERNELS)")};
}

Diagnosis threads() {
  const io::Processors found = io::processors();
  const io::ThreadRule rule = io::thread_rule(found.usable());
  const std::string quota =
      found.quota > 0 ? fmt::format(", a quota of {:.2g} processors", found.quota) : "";
  return {
      "threads",
      fmt::format("{} of a training step and {} of the loader unless told otherwise: "
                  "{} processors, {} cores{}; OpenMP: {}",
                  rule.threads, rule.workers, found.logical, found.cores, quota, openmp_runtime())};
}

std::string gpu_text(const device::Gpu& gpu) {
  return fmt::format("{}, {:.0f} GiB", gpu.name, static_cast<double>(gpu.memory_bytes) / (1 << 30));
}

// Loads LibTorch's CUDA only where there is a GPU for it.
Diagnosis gpus() {
  const device::CudaDriver driver = device::ask_cuda_driver();
  if (driver.gpus.empty()) return {"GPUs", "none: " + driver.failure};
  std::vector<std::string> names;
  for (const device::Gpu& gpu : driver.gpus) names.push_back(gpu_text(gpu));
  Diagnosis diagnosis{"GPUs",
                      fmt::format("{}; the driver supports CUDA up to {}.{}", io::join(names),
                                  driver.cuda_version / 1000, driver.cuda_version % 1000 / 10)};
  if (const std::string& failure = device::load_cuda(); !failure.empty()) {
    diagnosis.status = Status::kNote;
    diagnosis.advice = "not used: " + failure;
  } else {
    diagnosis.value += "; " + device::cuda_versions();
  }
  return diagnosis;
}

Diagnosis memory() {
  struct sysinfo info {};
  if (::sysinfo(&info) != 0) return {"memory", "unknown", Status::kNote, "sysinfo() failed"};
  const double gib = static_cast<double>(info.mem_unit) / (1 << 30);
  return {"memory", fmt::format("{:.1f} GiB, {:.1f} free", static_cast<double>(info.totalram) * gib,
                                static_cast<double>(info.freeram) * gib)};
}

void add_media(std::vector<Diagnosis>& diagnoses) {
  std::vector<std::string> versions;
  bool differs = false;
  for (const media::MediaLibrary& library : media::media_libraries()) {
    differs = differs || library.compiled != library.running;
    versions.push_back(library.name + " " + library.running);
  }
  diagnoses.push_back({"FFmpeg", io::join(versions) + "; " + media::media_license()});
  if (differs) {
    diagnoses.back().status = Status::kNote;
    diagnoses.back().advice =
        "avbench was built with other minor versions; build it anew if "
        "decoding misbehaves";
  }
  const auto check = [&](const char* name, const std::vector<std::string>& missing, const char* all,
                         const char* advice) {
    if (missing.empty()) {
      diagnoses.push_back({name, all});
    } else {
      diagnoses.push_back({name, "without " + io::join(missing), Status::kMissing, advice});
    }
  };
  const media::Formats formats;
  diagnoses.push_back({"containers", formats.containers()});
  diagnoses.push_back({"video codecs", formats.codecs(true)});
  diagnoses.push_back({"audio codecs", formats.codecs(false)});
  diagnoses.push_back({"not tested", "of these codecs: " + io::join(media::untested_codecs())});
  check("missing formats", media::missing_formats(), "none of the above",
        "files in these formats will be excluded; install an FFmpeg with them (Debian: "
        "libavcodec-extra)");
  check("encoders", media::missing_encoders(), "H.264 and AAC",
        "`dataset synth` cannot write videos; install an FFmpeg with libx264");
}

void add_plugins(std::vector<Diagnosis>& diagnoses) {
  const plugin::PluginRegistry registry = plugin::PluginRegistry::discover();
  std::vector<std::string> folders, names;
  for (const fs::path& folder : registry.folders()) folders.push_back(folder.string());
  for (const plugin::LoadedPlugin& plugin : registry.plugins())
    names.emplace_back(plugin.record->name);
  diagnoses.push_back({"plugin folders", io::join(folders)});
  if (names.empty()) {
    diagnoses.push_back({"methods", "none", Status::kMissing,
                         "build the target avbench_plugins, or name their folder in "
                         "AVBENCH_PLUGIN_PATH"});
  } else {
    diagnoses.push_back({"methods", io::join(names)});
  }
  for (const plugin::PluginProblem& problem : registry.problems()) {
    diagnoses.push_back({"refused plugin", problem.file.string(), Status::kNote, problem.message});
  }
}

// The nearest folder that exists decides whether the cache can be made.
Diagnosis cache() {
  fs::path folder = data::index_cache_file(".").parent_path();
  Diagnosis diagnosis{"cache", folder.string()};
  std::error_code error;
  while (!folder.empty() && !fs::exists(folder, error)) folder = folder.parent_path();
  if (folder.empty() || ::access(folder.c_str(), W_OK | X_OK) != 0) {
    diagnosis.status = Status::kNote;
    diagnosis.advice = "not writable: every start examines all files anew; set AVBENCH_CACHE";
  }
  return diagnosis;
}

std::vector<Diagnosis> examine() {
  std::vector<Diagnosis> diagnoses = {
      {"avbench", AVBENCH_VERSION},
      {"plugin interface", plugin::host_abi_tag()},
      {"compiler", AVBENCH_COMPILER},
      {"LibTorch", fmt::format("{}, kernels for {}", TORCH_VERSION, at::get_cpu_capability())},
      {"CPU features", cpu_features()},
      own_kernels(),
      threads(),
      memory(),
      gpus()};
  if (!at::globalContext().hasMKLDNN()) {
    diagnoses.push_back({"oneDNN", "absent", Status::kNote,
                         "convolutions will be slow; use the LibTorch that scripts/bootstrap.sh "
                         "installs"});
  }
  add_media(diagnoses);
  add_plugins(diagnoses);
  diagnoses.push_back(cache());
  return diagnoses;
}

void print_json(const std::vector<Diagnosis>& diagnoses) {
  Json list = Json::array();
  for (const Diagnosis& f : diagnoses) {
    list.push_back({{"name", f.name},
                    {"value", f.value},
                    {"status", status_name(f.status)},
                    {"advice", f.advice}});
  }
  fmt::print("{}\n", list.dump(2));
}

void print_text(const std::vector<Diagnosis>& diagnoses) {
  for (const Diagnosis& f : diagnoses) {
    fmt::print("{:<7}  {:<16}  {}\n", status_name(f.status), f.name, f.value);
    if (!f.advice.empty()) fmt::print("{:27}{}\n", "", f.advice);
  }
}

}  // namespace

void add_doctor_command(CLI::App& app) {
  auto* command = app.add_subcommand(
      "doctor", "Show versions, CPU, codecs and plugins; what is missing and how to get it");
  const auto json = std::make_shared<bool>(false);
  const auto kernels = std::make_shared<bool>(false);
  const auto shape = std::make_shared<KernelShape>();
  command->add_flag("--json", *json, "as JSON");
  command->add_flag("--kernels", *kernels,
                    "which kernel computes which convolution of a training step instead");
  const auto of_shape = [&](const char* name, auto& value, const char* text) {
    command->add_option(name, value, std::string("of --kernels: ") + text)
        ->check(CLI::Range(1, 4096))
        ->capture_default_str();
  };
  command
      ->add_option_function<std::string>(
          "--encoder",
          [shape](const std::string& word) {
            shape->encoder.name = *config::from_word<config::Backbone>(word);
          },
          "of --kernels: backbone")
      ->check(CLI::IsMember(config::all_words<config::Backbone>()))
      ->default_str(config::to_word(shape->encoder.name));
  of_shape("--width", shape->encoder.width, "channels of the first stage");
  of_shape("--batch", shape->batch, "clips a step");
  of_shape("--frames", shape->frames, "frames a clip");
  of_shape("--size", shape->size, "side of a frame");
  command->callback([json, kernels, shape] {
    if (*kernels) {
      const auto report = kernel_report(*shape);
      fmt::print("{}\n", *json ? report.dump(2) : kernel_text(report));
      return;
    }
    const auto diagnoses = examine();
    *json ? print_json(diagnoses) : print_text(diagnoses);
    const auto missing = std::count_if(diagnoses.begin(), diagnoses.end(), [](const Diagnosis& f) {
      return f.status == Status::kMissing;
    });
    if (missing > 0) throw std::runtime_error(fmt::format("{} of the above is missing", missing));
  });
}

}  // namespace avbench::app
