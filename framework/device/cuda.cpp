#include "device/cuda.h"

#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>

#include <algorithm>
#include <stdexcept>

#include "io/elf_symbols.h"

namespace avbench::device {
namespace {

namespace fs = std::filesystem;

// The few functions of libcuda.so that are needed, by their ABI (CUDA driver API reference).
class DriverLibrary {
 public:
  DriverLibrary() : handle_(::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL)) {}

  bool loaded() const { return handle_ != nullptr; }

  // 0 is success; -1: the library lacks the function.
  template <class... Arguments>
  int call(const char* name, Arguments... arguments) const {
    using Function = int (*)(Arguments...);
    const auto function = reinterpret_cast<Function>(::dlsym(handle_, name));
    return function == nullptr ? -1 : function(arguments...);
  }

  std::string error_text(int code) const {
    const char* text = nullptr;
    call("cuGetErrorString", code, &text);
    return text != nullptr ? text : fmt::format("error {}", code);
  }

 private:
  void* handle_;  // for good: CUDA does not survive being unloaded
};

Gpu describe(const DriverLibrary& driver, int index) {
  int device = 0;
  char name[256] = "GPU";
  size_t bytes = 0;
  driver.call("cuDeviceGet", &device, index);
  driver.call("cuDeviceGetName", &name[0], static_cast<int>(sizeof name), device);
  driver.call("cuDeviceTotalMem_v2", &bytes, device);
  return {name, static_cast<int64_t>(bytes)};
}

std::string last_error() {
  const char* text = ::dlerror();
  return text != nullptr ? text : "no reason given";
}

// cuDNN opens its parts by their bare names, and would take a system's cuDNN of another version.
void load_cudnn(const fs::path& folder) {
  std::error_code absent;
  std::vector<fs::path> parts;
  for (const auto& entry : fs::directory_iterator(folder, absent)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("libcudnn") && name.find(".so.") != std::string::npos) {
      parts.push_back(entry.path());
    }
  }
  std::sort(parts.begin(), parts.end());
  for (const fs::path& part : parts) ::dlopen(part.c_str(), RTLD_NOW | RTLD_GLOBAL);
}

std::string version_text(int64_t version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

std::string load() {
  const fs::path library = libtorch_folder() / "libtorch_cuda.so";
  if (!cuda_is_installed()) {
    return fmt::format(
        "this LibTorch has no CUDA ({} is not there); install it with scripts/bootstrap.sh --cuda, "
        "or build with LIBTORCH=DIR of one that has it",
        library.string());
  }
  const auto broken = [&](const std::string& why) {
    return fmt::format("{} cannot be loaded ({}); install it anew with scripts/bootstrap.sh --cuda",
                       library.string(), why);
  };
  try {
    io::exported_symbols(library);  // of a file that was cut off, dlopen() maps what is not there
  } catch (const std::runtime_error& error) {
    return broken(error.what());
  }
  load_cudnn(libtorch_folder() / "../../nvidia/cudnn/lib");
  if (::dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) return broken(last_error());
  const CudaDriver driver = ask_cuda_driver();
  if (!driver.failure.empty()) return driver.failure;
  const at::CUDAHooksInterface& hooks = at::detail::getCUDAHooks();
  if (hooks.deviceCount() > 0) return "";
  return fmt::format(
      "the driver supports CUDA up to {}, this LibTorch needs {}: install a newer NVIDIA driver",
      version_text(driver.cuda_version), version_text(hooks.versionCUDART()));
}

}  // namespace

CudaDriver ask_cuda_driver() {
  static const DriverLibrary driver;
  if (!driver.loaded()) {
    return {.failure = "there is no NVIDIA driver (libcuda.so.1 was not found)"};
  }
  CudaDriver found;
  driver.call("cuDriverGetVersion", &found.cuda_version);
  int count = 0;
  int code = driver.call("cuInit", 0U);
  if (code == 0) code = driver.call("cuDeviceGetCount", &count);
  for (int i = 0; i < count; ++i) found.gpus.push_back(describe(driver, i));
  if (code != 0) {
    found.failure = "the NVIDIA driver gives no GPU: " + driver.error_text(code);
  } else if (count == 0) {
    found.failure = "the NVIDIA driver gives no GPU; is CUDA_VISIBLE_DEVICES set?";
  }
  return found;
}

fs::path libtorch_folder() {
  void* handle = ::dlopen("libtorch_cpu.so", RTLD_NOW | RTLD_NOLOAD);
  link_map* map = nullptr;
  if (handle == nullptr || ::dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) return {};
  fs::path folder = fs::path(map->l_name).parent_path();
  ::dlclose(handle);
  return folder;
}

bool cuda_is_installed() { return fs::exists(libtorch_folder() / "libtorch_cuda.so"); }

std::string cuda_versions() {
  const at::CUDAHooksInterface& hooks = at::detail::getCUDAHooks();
  const auto cudnn = static_cast<int64_t>(hooks.versionRuntimeCuDNN());
  return fmt::format("CUDA {}, cuDNN {}.{}.{}", version_text(hooks.versionCUDART()), cudnn / 10000,
                     cudnn % 10000 / 100, cudnn % 100);
}

const std::string& load_cuda() {
  static const std::string failure = load();
  return failure;
}

}  // namespace avbench::device
