#include "experiment/chosen_device.h"

#include <spdlog/spdlog.h>

#include "device/select.h"

namespace avbench::experiment {

c10::Device chosen_device(const std::string& wanted, const std::string& where) {
  const device::Selection selection = device::select(wanted, where);
  if (!selection.remark.empty()) spdlog::warn("{}", selection.remark);
  spdlog::info("device: {}", device::name_of(selection.device));
  return selection.device;
}

}  // namespace avbench::experiment
