#include "device/select.h"

#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/DeviceType.h>
#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

#include "device/cuda.h"
#include "io/error.h"
#include "io/suggest.h"

namespace avbench::device {
namespace {

// NAME or NAME:INDEX; nothing if `text` is neither.
std::optional<int> index_in(const std::string& text, const std::string& name) {
  if (text == name) return 0;
  if (!text.starts_with(name + ":")) return std::nullopt;
  const std::string digits = text.substr(name.size() + 1);
  const bool number = !digits.empty() && digits.size() <= 3 &&
                      digits.find_first_not_of("0123456789") == std::string::npos;
  return number ? std::optional(std::stoi(digits)) : std::nullopt;
}

[[noreturn]] void refuse(const std::string& where, const std::string& wanted,
                         const std::string& why) {
  throw io::UserError(fmt::format("{}: {}: {}. Without a GPU, choose cpu", where, wanted, why));
}

c10::Device cuda(const std::string& where, const std::string& wanted, int index) {
  if (const std::string& failure = load_cuda(); !failure.empty()) refuse(where, wanted, failure);
  const int count = at::detail::getCUDAHooks().getNumGPUs();
  if (index >= count) {
    refuse(where, wanted,
           count == 1 ? "there is one GPU, cuda:0"
                      : fmt::format("there are {} GPUs, cuda:0 to cuda:{}", count, count - 1));
  }
  return {c10::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

Selection automatic() {
  const CudaDriver driver = ask_cuda_driver();
  if (driver.gpus.empty()) return {};
  const std::string& failure = load_cuda();
  if (failure.empty()) return {.device = {c10::kCUDA, 0}};
  return {.remark = fmt::format("{} is not used: {}", driver.gpus[0].name, failure)};
}

}  // namespace

std::string name_of(c10::Device device) {
  if (!device.is_cuda()) return device.str();
  const std::vector<Gpu> gpus = ask_cuda_driver().gpus;
  for (size_t i = 0; i < gpus.size(); ++i) {
    if (device != c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(i))) continue;
    return device.str() + " (" + gpus[i].name + ")";
  }
  return device.str();
}

Selection select(const std::string& wanted, const std::string& where) {
  if (wanted == "auto") return automatic();
  if (wanted == "cpu") return {};
  if (const auto index = index_in(wanted, "cuda")) return {.device = cuda(where, wanted, *index)};
  if (c10::is_privateuse1_backend_registered()) {
    if (const auto index = index_in(wanted, c10::get_privateuse1_backend())) {
      return {.device = {c10::kPrivateUse1, static_cast<c10::DeviceIndex>(*index)}};
    }
  }
  throw io::UserError(fmt::format("{}: got '{}', expected auto, cpu, cuda or cuda:NUMBER{}", where,
                                  wanted,
                                  io::did_you_mean(wanted, {"auto", "cpu", "cuda", "cuda:0"})));
}

}  // namespace avbench::device
