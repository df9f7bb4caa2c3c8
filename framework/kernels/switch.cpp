#include "kernels/switch.h"

#include <atomic>
#include <cstdlib>
#include <string>

#include "io/error.h"

namespace avbench::kernels {
namespace {

bool wish() {
  const char* value = std::getenv("AVBENCH_KERNELS");
  const std::string text = value == nullptr ? "on" : value;
  if (text == "on" || text.empty()) return true;
  if (text == "off") return false;
  throw io::UserError("AVBENCH_KERNELS: got '" + text + "', expected 'on' or 'off'");
}

std::atomic<bool>& state() {
  static std::atomic<bool> on = wish();
  return on;
}

}  // namespace

bool enabled() { return state(); }
void set_enabled(bool on) { state() = on; }

}  // namespace avbench::kernels
