// A configuration file, and after a zero byte each an assignment of --set. What is accepted must
// mean the same after it has been written and read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/load.h"
#include "config/writer.h"
#include "fuzz/fuzzing.h"
#include "io/strings.h"

using namespace avbench;

namespace {

// Devices and pipes are not what this looks for, and reading them would block.
bool names_a_device(std::string_view text) {
  return text.find("/dev") != text.npos || text.find("/proc") != text.npos;
}

void check_written_again(const config::Experiment& experiment) {
  const std::string text = config::to_yaml(experiment);
  const auto again = fuzz::write_input("again.yaml", text);
  fuzz::require(fuzz::accepted([&] {
                  fuzz::require(to_json(config::load_experiment(again, {})) == to_json(experiment),
                                "a written configuration reads as the same");
                }),
                "a written configuration is accepted");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (names_a_device(input)) return 0;
  const size_t end = std::min(input.find('\0'), size);
  const auto file = fuzz::write_input("input.yaml", input.substr(0, end));
  std::vector<std::string> sets;
  if (end < size) sets = io::split(std::string(input.substr(end + 1)), '\0');
  fuzz::accepted([&] { check_written_again(config::load_experiment(file, sets)); });
  return 0;
}
